/** Contests in the read store, and their reconciliation with it: equal, spoilt, late, away. On both stores. */
import { haveServer } from '@sluice/infra';
import type { ReadStore } from '@sluice/ports';
import { contestpb } from '@sluice/protocol/contest';
import { ContestsOnStores, type StoreName } from './harness/contests';

const LONG_MS = 60_000n;
const {
  RECONCILIATION_OUTCOME_EQUAL: EQUAL,
  RECONCILIATION_OUTCOME_REPLACED: REPLACED,
  RECONCILIATION_OUTCOME_BEHIND: BEHIND,
  RECONCILIATION_OUTCOME_NOT_COMPARED: NOT_COMPARED,
  RECONCILIATION_OUTCOME_PENDING: PENDING,
} = contestpb.ReconciliationOutcome;

const stores: StoreName[] = haveServer('mongodb') ? ['SQLite', 'MongoDB'] : ['SQLite'];

describe.each(stores)('on %s', (name) => {
  let contests: ContestsOnStores;

  const start = async (asReadBy?: (store: ReadStore) => ReadStore): Promise<void> => {
    contests = await ContestsOnStores.start(name, asReadBy);
  };
  const sums = async () =>
    (await contests.reconciliation()).map(({ outcome, sides }) => ({
      outcome,
      log: sides.map(({ logPoints, logTotal }) => `${logPoints} of ${logTotal}`).join(),
      read: sides.map(({ readPoints, readTotal }) => `${readPoints} of ${readTotal}`).join(),
    }));
  const expectVerified = async (members = 3): Promise<void> => {
    await contests.projected();
    const { differences, equal, compared } = await contests.verified();
    expect([differences, equal]).toEqual([[], true]);
    expect(compared).toMatchObject({ contests: 1, 'contest members': members });
  };

  afterEach(() => contests.stop());

  test('a contest is shown as it goes on, its rounds are reconciled, and the rows are those of the log', async () => {
    await start();
    await contests.begin({ rounds: 2, reconcileWaitMs: LONG_MS });
    await contests.score('r1', 3);
    await contests.score('b1', 4);
    await contests.projected();
    expect(await contests.shown()).toBe('3,4 of 3,4');
    await contests.endRound(1);
    await contests.score('r2', 5);
    await contests.projected();
    expect(await contests.shown()).toBe('5,0 of 8,4');
    await contests.endRound(2);
    await contests.projected();
    expect(await contests.contest()).toMatchObject({ phase: contestpb.ContestPhase.CONTEST_PHASE_ENDED, winnerSideIds: ['red'], round: 2, scoreCount: 3n });
    expect((await contests.contest()).sides.map(({ roundsWon }) => roundsWon)).toEqual([1, 1]);
    expect(await sums()).toEqual([
      { outcome: EQUAL, log: '3 of 3,4 of 4', read: '3 of 3,4 of 4' },
      { outcome: EQUAL, log: '5 of 8,0 of 4', read: '5 of 8,0 of 4' },
    ]);
    await expectVerified();
    await contests.rebuild();
    await expectVerified();
    expect(await contests.shown()).toBe('5,0 of 8,4');
    expect(contests.troubles).toEqual([]);
  });

  test('totals that were changed in the read store are reported with both sums, and replaced', async () => {
    await start();
    await contests.begin({ rounds: 2, reconcileWaitMs: LONG_MS });
    await contests.score('r1', 3);
    await contests.projected();
    await contests.spoil((row) => ({ ...row, side_points: '1003,7' }));
    // Scores go on from what the row says.
    await contests.score('b1', 4);
    await contests.projected();
    expect(await contests.shown()).toBe('3,4 of 1003,11');
    await contests.endRound(1);
    await contests.projected();
    expect(await contests.shown()).toBe('0,0 of 3,4');
    await contests.score('b1', 2);
    await contests.call('endRound', { round: 2 });
    await contests.projected();
    expect((await sums())[1]?.outcome).toBe(PENDING);
    await contests.spoil((row) => ({ ...row, side_round_points: '9,9' }));
    await contests.reconciled(2);
    await contests.projected();
    expect(await contests.shown()).toBe('0,2 of 3,6');
    expect(await sums()).toEqual([
      { outcome: REPLACED, log: '3 of 3,4 of 4', read: '3 of 1003,4 of 11' },
      { outcome: REPLACED, log: '0 of 3,2 of 6', read: '9 of 3,9 of 6' },
    ]);
    expect(contests.troubles).toEqual([
      'round 1 of contest c was read wrong: Error: the read store had 3,4 in the round and 1003,11 in all, the log says 3,4 in the round and 3,4 in all; its totals are replaced',
      'round 2 of contest c was read wrong: Error: the read store had 9,9 in the round and 3,6 in all, the log says 0,2 in the round and 3,6 in all; its totals are replaced',
    ]);
    await expectVerified();
  });

  test('a projector that was behind adds nothing twice, and the contest does not wait for it longer than it may', async () => {
    await start();
    await contests.begin({ rounds: 2 });
    await contests.score('r1', 3);
    await contests.projected();
    await contests.stopProjector();
    await contests.score('r1', 30);
    await contests.score('b1', 4);
    await contests.endRound(1);
    await contests.score('b1', 5);
    await contests.endRound(2);
    await contests.startProjector();
    await contests.projected();
    expect(await contests.shown()).toBe('0,5 of 33,9');
    const [first, second] = await contests.reconciliation();
    expect([first?.outcome, second?.outcome]).toEqual([BEHIND, BEHIND]);
    expect(await sums()).toMatchObject([{ read: '3 of 3,0 of 0' }, { read: '3 of 3,0 of 0' }]);
    expect(first?.readSequence).toBeLessThan(first?.logSequence as bigint);
    await expectVerified();
    expect(contests.troubles).toEqual([]);
  });

  test('rewards are shown with their verdicts, and the money as it is accounted for', async () => {
    await start();
    await contests.openAccount('fund', 1_000n);
    await contests.openAccount('r1', 0n);
    // r2 has no account: what it should get goes back to the fund.
    const reward = { fundAccountId: 'fund', unit: 'EUR', kind: contestpb.RewardKind.REWARD_KIND_FIXED, amountMinor: 100n };
    await contests.begin({ reward });
    await contests.untilPhase('RUNNING');
    await contests.score('r1', 3);
    await contests.endRound(1);
    await contests.untilPhase('ENDED');
    await contests.settled();
    await contests.projected();
    const { REWARD_STATE_PAID: paid, REWARD_STATE_RETURNED: returned } = contestpb.RewardState;
    expect(await contests.rewards()).toMatchObject([
      { accountId: 'r1', sideId: 'red', amountMinor: 100n, state: paid, reason: '' },
      { accountId: 'r2', sideId: 'red', amountMinor: 100n, state: returned, reason: 'TARGET_NOT_FOUND' },
    ]);
    const { phase, money } = await contests.contest();
    expect(phase).toBe(contestpb.ContestPhase.CONTEST_PHASE_ENDED);
    expect(money).toMatchObject({
      state: contestpb.ContestMoneyState.CONTEST_MONEY_STATE_SETTLED,
      paidMinor: 100n,
      returnedMinor: (money?.heldMinor ?? 0n) - 100n,
    });
    await expectVerified();
  });

  test.each<[string, (store: ReadStore) => ReadStore, string]>([
    [
      'that refuses',
      (store) => overriding(store, { incarnation: () => Promise.reject(new Error('connection refused')) }),
      'cannot be read: connection refused',
    ],
    ['that does not answer', (store) => overriding(store, { incarnation: () => new Promise(() => undefined) }), 'did not answer within 1000 ms'],
    ['of another log', (store) => overriding(store, { incarnation: async () => 'f'.repeat(32) }), 'was made from another log'],
  ])('a read store %s stops no contest, and the round says that it was not compared', async (_what, asReadBy, why) => {
    await start(asReadBy);
    await contests.begin();
    await contests.score('r1', 3);
    await contests.endRound(1);
    await contests.projected();
    const [round] = await contests.reconciliation();
    expect([round?.outcome, round?.readSequence]).toEqual([NOT_COMPARED, 0n]);
    expect(round?.notCompared).toContain(why);
    expect((await contests.contest()).winnerSideIds).toEqual(['red']);
    await expectVerified();
  });
});

/** The store with some of its methods exchanged. */
function overriding(store: ReadStore, methods: Partial<ReadStore>): ReadStore {
  return new Proxy(store, {
    get: (target, name) => {
      const own = (methods as Record<PropertyKey, unknown>)[name] ?? Reflect.get(target, name);
      return typeof own === 'function' ? (own.bind(target) as unknown) : own;
    },
  });
}
