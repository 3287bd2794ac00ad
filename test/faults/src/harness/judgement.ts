/**
 * What must hold after every fault: nothing acknowledged is lost, nothing is applied twice, log = read store. Judged by the
 * callers' own list, against what queries answer and what the projector finds when it folds the log.
 */
import type { accountpb } from '@sluice/protocol';
import type { Acknowledged, Load } from './load';
import { entriesOf, projectionStatus, verification } from './service-calls';

const CAUGHT_UP_LIMIT_MS = 30_000;
const CAUGHT_UP_POLL_MS = 50;

export interface Addresses {
  readonly query: string;
  readonly projector: string;
}

/** Resolves when the read store has everything that the log has. */
export async function caughtUp(projector: string): Promise<void> {
  const untilMs = Date.now() + CAUGHT_UP_LIMIT_MS;
  for (;;) {
    const status = await projectionStatus(projector).catch(() => undefined);
    const behind = status?.partitions.filter(({ checkpoint, headSequence }) => checkpoint < headSequence);
    if (behind?.length === 0) return;
    if (Date.now() > untilMs) {
      const where = behind?.map(({ partition, checkpoint, headSequence }) => `partition ${partition}: ${checkpoint} of ${headSequence}`).join(', ');
      throw new Error(`the projection is not at the log's head after ${CAUGHT_UP_LIMIT_MS / 1000} s: ${where ?? 'the projector does not answer'}`);
    }
    await new Promise((resolve) => setTimeout(resolve, CAUGHT_UP_POLL_MS));
  }
}

/** To be called when the loads, one after the other, have stopped: then every posting that was sent has its verdict. */
export async function expectWhole(loads: readonly Load[], { query, projector }: Addresses): Promise<void> {
  expect(loads.flatMap(({ unexpected }) => unexpected)).toEqual([]);
  await caughtUp(projector);
  for (const account of loads[0]?.acknowledged.keys() ?? []) {
    const acknowledged = new Map(loads.flatMap((load) => [...(load.acknowledged.get(account) ?? [])]));
    expectSame(account, acknowledged, await entriesOf(query, account));
  }
  const { equal, differences } = await verification(projector);
  expect({ equal, differences }).toEqual({ equal: true, differences: [] });
}

function expectSame(account: string, acknowledged: ReadonlyMap<string, Acknowledged>, entries: readonly accountpb.Entry[]): void {
  const entered = new Map(entries.map((entry) => [entry.requestId, entry]));
  const lost = [...acknowledged.keys()].filter((requestId) => !entered.has(requestId));
  const unasked = entries.filter(({ requestId }) => !acknowledged.has(requestId)).map(({ requestId }) => requestId);
  expect({ account, entries: entries.length, lost, unasked }).toEqual({ account, entries: acknowledged.size, lost: [], unasked: [] });
  let balance = 0n;
  for (const [index, entry] of entries.entries()) {
    const answer = acknowledged.get(entry.requestId) as Acknowledged;
    balance += answer.amountMinor;
    expect({ requestId: entry.requestId, number: entry.entryNumber, balance: entry.balanceAfterMinor }).toEqual({
      requestId: entry.requestId,
      number: BigInt(index + 1),
      balance,
    });
    expect({ requestId: entry.requestId, number: answer.entryNumber, balance: answer.balanceAfterMinor }).toEqual({
      requestId: entry.requestId,
      number: entry.entryNumber,
      balance: entry.balanceAfterMinor,
    });
  }
}
