/**
 * What must hold after every fault: nothing acknowledged is lost, nothing is applied twice, log = read store. Judged by the
 * callers' own list, against what queries answer and what the projector finds when it folds the log.
 */
import type { accountpb } from '@sluice/protocol/account';
import type { Acknowledged, Load } from './load';
import type { ServiceCalls } from './service-calls';

const CAUGHT_UP_LIMIT_MS = 30_000;
const CAUGHT_UP_POLL_MS = 50;
/** Examples that a complaint names. */
const EXAMPLES = 5;

export interface Addresses {
  readonly query: string;
  readonly projector: string;
}

export interface Judgement {
  readonly acknowledged: number;
  /** Answers that said that the posting was answered before. */
  readonly repeated: number;
  /** Request ids of acknowledged postings that have no entry. */
  readonly lost: readonly string[];
  /** Request ids with more than one entry. */
  readonly doubled: readonly string[];
  /** Request ids of entries that no caller has an acknowledgement of. */
  readonly unasked: readonly string[];
  /** Entries that say something else than the answer did, for people. */
  readonly differing: readonly string[];
  /** Refusals that no caller deserves. */
  readonly unexpected: readonly string[];
  /** Between the fold of the log and the read store, for people. */
  readonly differences: readonly string[];
  /** The fold of the log is the read store. */
  readonly equal: boolean;
}

/** Resolves when the read store has everything that the log has; rejects after 30 s. */
export async function caughtUp(calls: ServiceCalls, projector: string, limitMs = CAUGHT_UP_LIMIT_MS): Promise<void> {
  const untilMs = Date.now() + limitMs;
  for (;;) {
    const status = await calls.projectionStatus(projector).catch(() => undefined);
    const behind = status?.partitions.filter(({ checkpoint, headSequence }) => checkpoint < headSequence);
    if (behind?.length === 0) return;
    if (Date.now() > untilMs) {
      const where = behind?.map(({ partition, checkpoint, headSequence }) => `partition ${partition}: ${checkpoint} of ${headSequence}`).join(', ');
      throw new Error(`the projection is not at the log's head after ${limitMs / 1000} s: ${where ?? 'the projector does not answer'}`);
    }
    await new Promise((resolve) => setTimeout(resolve, CAUGHT_UP_POLL_MS));
  }
}

/** To be called when the loads, one after the other, have stopped: then every posting that was sent has its verdict. */
export async function judge(loads: readonly Load[], calls: ServiceCalls, { query, projector }: Addresses, caughtUpLimitMs?: number): Promise<Judgement> {
  await caughtUp(calls, projector, caughtUpLimitMs);
  const found = { lost: [] as string[], doubled: [] as string[], unasked: [] as string[], differing: [] as string[] };
  for (const account of loads[0]?.acknowledged.keys() ?? []) {
    const acknowledged = new Map(loads.flatMap((load) => [...(load.acknowledged.get(account) ?? [])]));
    compare(acknowledged, await calls.entries(query, account), found);
  }
  const { equal, differences } = await calls.verification(projector);
  return {
    acknowledged: loads.reduce((sum, load) => sum + load.acknowledgedPostings, 0),
    repeated: loads.reduce((sum, load) => sum + load.repeated, 0),
    ...found,
    unexpected: loads.flatMap(({ unexpected }) => unexpected),
    differences,
    equal,
  };
}

/** One line for each promise that does not hold; none: everything is whole. */
export function complaintsOf({ lost, doubled, unasked, differing, unexpected, differences, equal }: Judgement): string[] {
  const complaint = (found: readonly string[], what: string): string[] =>
    found.length === 0 ? [] : [`${found.length} ${what}: ${found.slice(0, EXAMPLES).join('; ')}${found.length > EXAMPLES ? '; …' : ''}`];
  return [
    ...complaint(lost, 'acknowledged postings are lost'),
    ...complaint(doubled, 'postings are applied twice'),
    ...complaint(unasked, 'entries have no acknowledged posting'),
    ...complaint(differing, 'entries differ from their answer'),
    ...complaint(unexpected, 'postings were refused'),
    ...complaint(differences, 'differences between log and read store'),
    ...(equal || differences.length > 0 ? [] : ['the fold of the log is not what the read store says']),
  ];
}

interface Found {
  readonly lost: string[];
  readonly doubled: string[];
  readonly unasked: string[];
  readonly differing: string[];
}

function compare(acknowledged: ReadonlyMap<string, Acknowledged>, entries: readonly accountpb.Entry[], { lost, doubled, unasked, differing }: Found): void {
  const entered = new Set<string>();
  let balanceMinor = 0n;
  for (const [index, { requestId, entryNumber, balanceAfterMinor }] of entries.entries()) {
    const answer = acknowledged.get(requestId);
    if (entered.has(requestId)) doubled.push(requestId);
    else if (answer === undefined) unasked.push(requestId);
    entered.add(requestId);
    if (answer === undefined) continue;
    balanceMinor += answer.amountMinor;
    const isSame =
      entryNumber === BigInt(index + 1) &&
      balanceAfterMinor === balanceMinor &&
      answer.entryNumber === entryNumber &&
      answer.balanceAfterMinor === balanceAfterMinor;
    if (!isSame)
      differing.push(
        `${requestId}: answered ${answer.balanceAfterMinor} at entry ${answer.entryNumber}, entered ${balanceAfterMinor} at ${entryNumber}, ` +
          `expected ${balanceMinor} at ${index + 1}`,
      );
  }
  lost.push(...[...acknowledged.keys()].filter((requestId) => !entered.has(requestId)));
}
