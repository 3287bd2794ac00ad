import { until } from '@sluice/judged-load';
import { accountpb } from '@sluice/protocol/account';
import { commandClient, credit, openSideAccount, postReasons } from '../harness/side-account';
import { actingSchedulers, type Fault } from '../harness/under-load';

/** Two in each of the four partitions. */
const ACCOUNTS = ['l', 'm', 'b', 'c', 'a', 'g', 'd', 'e'].map((name) => `{${name}}-expiring`);
const HOLDS = 50;
/** Holds of an account expire one after the other. The first is due when all are placed, also on a slow machine: what is due already is refused. */
const FIRST_AFTER_MS = 8_000;
const EVERY_MS = 100;

const hold = (accountId: string, number: number, expiresAtMs: number): accountpb.Posting =>
  accountpb.Posting.fromPartial({
    requestId: `hold-${number}`,
    accountId,
    type: accountpb.PostingType.POSTING_TYPE_HOLD,
    amountMinor: 1n,
    unit: 'EUR',
    expiresAtUs: BigInt(expiresAtMs) * 1_000n,
  });

export const timersDueWhileKilled: Fault = {
  name: 'kill -9 of the scheduler that acts and of an owner while holds expire: each is released once, in order, and not before its time',
  run: async ({ calls, command, scheduler, query, ownerOf }) => {
    const client = commandClient(command[0]?.address ?? '');
    await Promise.all(ACCOUNTS.map((accountId) => openSideAccount(client, accountId)));
    const startMs = Date.now() + FIRST_AFTER_MS;
    const holds = Array.from({ length: HOLDS }, (_, number) => number);
    const posted = await Promise.all(
      ACCOUNTS.map((accountId) =>
        postReasons(client, [
          ...holds.map((number) => credit(accountId, `credit-${number}`)),
          ...holds.map((number) => hold(accountId, number, startMs + number * EVERY_MS)),
        ]),
      ),
    );
    expect(posted.flat().filter((reason) => reason !== undefined)).toEqual([]);
    client.close();
    const held = async (): Promise<number> => {
      const accounts = await Promise.all(ACCOUNTS.map((accountId) => calls.account(query[0]?.address ?? '', accountId)));
      return accounts.reduce((sum, { heldMinor }) => sum + Number(heldMinor), 0);
    };

    await until('some holds have expired', async () => (await held()) < ACCOUNTS.length * HOLDS);
    const [acting] = await actingSchedulers(calls, scheduler);
    const fallen = [scheduler.find(({ name }) => name === acting), await ownerOf(0)];
    for (const victim of fallen) await victim?.kill();
    for (const victim of fallen) await victim?.start();
    for (const victim of fallen) await victim?.untilServing();
    await until('every hold has expired', async () => (await held()) === 0);

    for (const accountId of ACCOUNTS) {
      const entries = await calls.entries(query[0]?.address ?? '', accountId);
      const released = entries.filter(({ type }) => type === accountpb.PostingType.POSTING_TYPE_RELEASE);
      expect(released.map(({ holdId }) => holdId)).toEqual(holds.map((number) => `hold-${number}`));
      const early = released.filter(
        ({ committedAt }, number) => Number(committedAt?.seconds ?? 0n) * 1_000 + (committedAt?.nanos ?? 0) / 1e6 < startMs + number * EVERY_MS,
      );
      expect(early).toEqual([]);
    }
  },
};
