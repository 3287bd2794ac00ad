/** The money of contests over the command service: funds, rewards, gifts, and what becomes of them when something fails. */
import { contestpb } from '@sluice/protocol/contest';
import type { Asked } from '../test/aggregates-under-test';
import { ContestsUnderTest } from '../test/contests-under-test';
import { contestRecord } from './contest-record';

/** As accounts record it. */
const TARGET_REFUSED = 27;

interface RefusedGift {
  readonly spoil: (under: ContestsUnderTest) => Promise<unknown>;
  readonly member: string;
  /** The contest's, in the transfer of the giver. */
  readonly targetReason: string;
}
let contests: ContestsUnderTest | undefined;

async function started(adapter = 'memory'): Promise<ContestsUnderTest> {
  contests = await ContestsUnderTest.start(adapter);
  return contests;
}

afterEach(async () => {
  await contests?.end();
  contests = undefined;
});

const reward = (amountMinor: bigint, kind = contestpb.RewardKind.REWARD_KIND_FIXED): Asked => ({ fundAccountId: 'fund', unit: 'EUR', kind, amountMinor });
const score = (accountId: string, points: bigint): Asked => ({ accountId, points });
const gift = (giverAccountId: string, accountId: string, amountMinor: bigint, requestId: string): Asked => ({
  ...{ giverAccountId, accountId, amountMinor, requestId },
  unit: 'EUR',
});

/** The accounts of the members, and a fund. */
async function withAccounts(under: ContestsUnderTest, fundMinor = 1_000n): Promise<void> {
  await under.open('fund', fundMinor);
  for (const accountId of ['r1', 'r2', 'b1']) await under.open(accountId);
}

describe.each(['memory', 'SQLite'])('on the %s log', (adapter) => {
  test('the fund gives the largest payout, the winners are paid, the rest goes back', async () => {
    const under = await started(adapter);
    await withAccounts(under);
    await under.create({ reward: reward(100n) });
    expect((await under.call('startContest', {})).phase).toBe(contestpb.ContestPhase.CONTEST_PHASE_STARTING);
    await under.until(({ phase }) => phase === 'RUNNING');
    expect([under.account('fund').balanceMinor, under.account('fund').inTransitMinor]).toEqual([800n, 200n]);
    await under.call('score', score('b1', 5n));
    await under.call('endRound', { round: 1 });
    const { fund } = await under.until(({ phase }) => phase === 'ENDED');
    expect(fund).toMatchObject({ state: 'SETTLED', amountMinor: 200n, paidMinor: 100n, openRewards: 0 });
    expect(under.balances('fund', 'r1', 'r2', 'b1')).toEqual([900n, 0n, 0n, 100n]);
    expect(under.account('fund').inTransitMinor).toBe(0n);
    const before = contestRecord.encode(under.contest());
    for (const again of [() => under.crash(), () => under.restart()]) {
      await again();
      expect(Buffer.compare(contestRecord.encode(under.contest()), before)).toBe(0);
      expect(under.balances('fund', 'r1', 'r2', 'b1')).toEqual([900n, 0n, 0n, 100n]);
    }
    expect(under.troubles).toEqual([]);
  });
});

test('the entries name both sides', async () => {
  const under = await started();
  await withAccounts(under);
  await under.open('giver', 10n);
  await under.create({ reward: reward(100n) });
  await under.call('startContest', {});
  await under.until(({ phase }) => phase === 'RUNNING');
  await under.call('gift', gift('giver', 'b1', 5n, 'g1'));
  await under.until(({ roundScoreCount }) => roundScoreCount === 1);
  await under.call('endRound', { round: 1 });
  await under.until(({ phase }) => phase === 'ENDED');
  const named = under.postings().map(({ accountId, fromAccountId, toAccountId, counterparty, funds, amountMinor, metadata }) => ({
    ...{ accountId, fromAccountId, toAccountId, counterparty, funds, amountMinor, metadata },
  }));
  expect(named).toEqual(
    expect.arrayContaining([
      { accountId: 'fund', fromAccountId: '', toAccountId: '', counterparty: 'c', funds: true, amountMinor: 200n, metadata: { contest: 'c' } },
      { accountId: 'b1', fromAccountId: 'fund', toAccountId: '', counterparty: 'c', funds: false, amountMinor: 100n, metadata: { contest: 'c', round: '1' } },
      { accountId: 'fund', fromAccountId: '', toAccountId: '', counterparty: 'c', funds: true, amountMinor: 100n, metadata: { contest: 'c' } },
      { accountId: 'giver', fromAccountId: '', toAccountId: 'c', counterparty: '', funds: false, amountMinor: 5n, metadata: { contest: 'c', member: 'b1' } },
    ]),
  );
});

test('rewards of many contests that are due together fit the commits of a log', async () => {
  const under = await started();
  const fundAccountId = 'fund'.padEnd(100, '.');
  await under.open(fundAccountId, 100_000n);
  // The braces keep them in one partition. A commit has room for the rewards of some thirteen of them.
  const contestIds = Array.from({ length: 16 }, (_, at) => `{one} ${at}`.padEnd(128, '.'));
  const sides = [
    { sideId: 'red', accountIds: Array.from({ length: 1_000 }, (_, at) => `member ${at}`.padEnd(128, '.')) },
    { sideId: 'blue', accountIds: ['b1'] },
  ];
  for (const contestId of contestIds) {
    await under.call('createContest', { contestId, sides, rules: { reward: { ...reward(1n), fundAccountId } } });
    await under.call('startContest', { contestId });
  }
  const each = (phase: string) => contestIds.every((contestId) => under.contest(contestId).phase === phase);
  await under.until(() => each('RUNNING'));
  await under.clock.elapse(1);
  const endedAtUs = under.clock.nowUs();
  for (const contestId of contestIds) {
    await under.call('score', { ...score(sides[0]?.accountIds[0] as string, 1n), contestId });
    await under.call('endRound', { contestId, round: 1 });
  }
  // The rounds are reconciled, and the scheduler does not ask for the rewards yet.
  await under.clock.elapse(1);
  await under.fireDue(endedAtUs);
  while (!each('REWARDING')) await new Promise((resolve) => setImmediate(resolve));
  await under.until(() => each('ENDED'));
  expect(under.troubles).toEqual([]);
  expect(under.balances(fundAccountId)).toEqual([100_000n]);
}, 60_000);

test('two contests on one fund that has money for one: the second is not started, and can be when the first is over', async () => {
  const under = await started();
  await withAccounts(under, 250n);
  await under.create({ reward: reward(100n) });
  await under.create({ reward: reward(100n) }, 'second');
  await under.call('startContest', {});
  await under.until(({ phase }) => phase === 'RUNNING');
  await under.call('startContest', { contestId: 'second' });
  const refused = await under.until(({ fund }) => fund?.state === 'REFUSED', 'second');
  expect(refused.phase).toBe('CREATED');
  expect(under.recorded().FundRefused).toEqual([{ contestId: 'second', reason: 'INSUFFICIENT_FUNDS' }]);
  await under.call('cancelContest', {});
  await under.until(({ fund }) => fund?.state === 'SETTLED');
  expect(under.balances('fund')).toEqual([250n]);
  await under.call('startContest', { contestId: 'second' });
  await under.until(({ phase }) => phase === 'RUNNING', 'second');
  expect(under.balances('fund')).toEqual([50n]);
});

test.each`
  what                    | spoil                                                                                                          | reason
  ${'signs its postings'} | ${(under: ContestsUnderTest) => under.open('fund', 0n, { signingKey: Buffer.alloc(32, 7) })}                   | ${'SIGNATURE_INVALID'}
  ${'was never opened'}   | ${async () => undefined}                                                                                       | ${'ACCOUNT_NOT_FOUND'}
  ${'has too little'}     | ${(under: ContestsUnderTest) => under.open('fund', 199n)}                                                      | ${'INSUFFICIENT_FUNDS'}
  ${'is of another unit'} | ${(under: ContestsUnderTest) => under.open('fund', 200n, { unit: 'USD' })}                                     | ${'UNIT_MISMATCH'}
  ${'is frozen'}          | ${async (under: ContestsUnderTest) => (await under.open('fund', 200n), under.change('freezeAccount', 'fund'))} | ${'ACCOUNT_FROZEN'}
`('no contest is started on a fund that $what', async ({ spoil, reason }: { spoil: (under: ContestsUnderTest) => Promise<unknown>; reason: string }) => {
  const under = await started();
  await spoil(under);
  await under.create({ reward: reward(100n) });
  await under.call('startContest', {});
  await under.until(({ fund }) => fund?.state === 'REFUSED');
  expect(under.recorded().FundRefused).toEqual([{ contestId: 'c', reason }]);
});

test('a reward that its account refuses is listed and goes back, even to a fund that is frozen meanwhile; it cannot be closed', async () => {
  const under = await started();
  await under.open('fund', 200n);
  await under.open('r1');
  await under.open('r2', 0n, { unit: 'USD' });
  await under.create({ reward: reward(100n) });
  await under.call('startContest', {});
  await under.until(({ phase }) => phase === 'RUNNING');
  await expect(under.change('closeAccount', 'fund')).rejects.toThrow(/transfers/i);
  await under.change('freezeAccount', 'fund');
  await under.call('score', score('r1', 5n));
  await under.call('endRound', { round: 1 });
  await under.until(({ phase }) => phase === 'ENDED');
  const { RewardsSettled = [], FundSettled } = under.recorded();
  const rewards = RewardsSettled.flatMap((event) => (event as contestpb.RewardsSettled).rewards);
  expect(new Map(rewards.map(({ accountId, reason }) => [accountId, reason]))).toEqual(
    new Map([
      ['r1', ''],
      ['r2', 'TARGET_UNIT_MISMATCH'],
    ]),
  );
  expect(FundSettled).toEqual([{ contestId: 'c', heldMinor: 200n, paidMinor: 100n, returnedMinor: 100n }]);
  expect(under.balances('fund', 'r1', 'r2')).toEqual([100n, 100n, 0n]);
});

test('a contest that is cancelled gives everything back', async () => {
  const under = await started();
  await withAccounts(under);
  await under.create({ reward: reward(100n) });
  await under.call('startContest', {});
  await under.until(({ phase }) => phase === 'RUNNING');
  await under.call('cancelContest', {});
  await under.until(({ fund }) => fund?.state === 'SETTLED');
  expect([under.contest().phase, under.balances('fund')]).toEqual(['CANCELLED', [1_000n]]);
});

test('a pot is shared by contribution, to the unit', async () => {
  const under = await started();
  await withAccounts(under);
  await under.create({ reward: reward(100n, contestpb.RewardKind.REWARD_KIND_CONTRIBUTION) });
  await under.call('startContest', {});
  await under.until(({ phase }) => phase === 'RUNNING');
  await under.call('score', score('r1', 1n));
  await under.call('score', score('r2', 2n));
  await under.call('endRound', { round: 1 });
  await under.until(({ phase }) => phase === 'ENDED');
  expect(under.balances('fund', 'r1', 'r2')).toEqual([900n, 33n, 67n]);
});

describe('a gift', () => {
  async function running(): Promise<ContestsUnderTest> {
    const under = await started();
    await under.open('giver', 100n);
    await under.create();
    await under.call('startContest', {});
    return under;
  }

  test('debits its giver and scores, once, however often it is sent', async () => {
    const under = await running();
    expect(await under.call('gift', gift('giver', 'r1', 30n, 'g1'))).toMatchObject({ balanceAfterMinor: 70n, entryNumber: 2n, repeated: false });
    await under.until(({ roundScoreCount }) => roundScoreCount === 1);
    expect(await under.call('gift', gift('giver', 'r1', 30n, 'g1'))).toMatchObject({ balanceAfterMinor: 70n, entryNumber: 2n, repeated: true });
    expect(await under.refusal('gift', gift('giver', 'r2', 30n, 'g1'))).toBe('REQUEST_ID_REUSED');
    await under.crash();
    expect(await under.call('gift', gift('giver', 'r1', 30n, 'g1'))).toMatchObject({ repeated: true });
    expect(under.contest()).toMatchObject({ roundScoreCount: 1, sideRoundPoints: [30, 0] });
    expect([under.balances('giver'), under.account('giver').inTransitMinor]).toEqual([[70n], 0n]);
    const [scores] = (under.recorded().ScoresRecorded as contestpb.ScoresRecorded[]).map((event) => event.scores);
    expect(scores).toMatchObject([{ requestId: 'g1', accountId: 'r1', giverAccountId: 'giver', amountMinor: 30n, unit: 'EUR', points: 30n }]);
  });

  test('has the points that it says', async () => {
    const under = await running();
    await under.call('gift', { ...gift('giver', 'b1', 30n, 'g1'), points: 7n });
    expect((await under.until(({ roundScoreCount }) => roundScoreCount === 1)).sideRoundPoints).toEqual([0, 7]);
  });

  test.each`
    what                  | spoil                                                                 | member        | targetReason
    ${'a stranger'}       | ${async () => undefined}                                              | ${'stranger'} | ${'CONTEST_MEMBER_NOT_FOUND'}
    ${'an ended round'}   | ${(under: ContestsUnderTest) => under.call('endRound', { round: 1 })} | ${'r1'}       | ${'CONTEST_ROUND_CLOSED'}
    ${'an ended contest'} | ${(under: ContestsUnderTest) => under.call('cancelContest', {})}      | ${'r1'}       | ${'CONTEST_FINISHED'}
  `('to $what is refunded with $targetReason', async ({ spoil, member, targetReason }: RefusedGift) => {
    const under = await running();
    await spoil(under);
    await under.call('gift', gift('giver', member, 30n, 'g1'));
    while (under.account('giver').inTransitMinor > 0n) await new Promise((resolve) => setImmediate(resolve));
    expect(under.balances('giver')).toEqual([100n]);
    expect(under.recorded().TransfersSettled).toEqual([
      {
        accounts: [{ accountId: 'giver', amountMinor: 30n, settledDates: [], transfers: [{ requestId: 'g1', rejection: TARGET_REFUSED, targetReason }] }],
      },
    ]);
  });

  test('to a contest that does not exist is refunded', async () => {
    const under = await running();
    await under.call('gift', { ...gift('giver', 'r1', 30n, 'g1'), contestId: 'none' });
    while (under.account('giver').inTransitMinor > 0n) await new Promise((resolve) => setImmediate(resolve));
    expect(under.balances('giver')).toEqual([100n]);
  });

  test.each`
    change                            | reason
    ${{ amountMinor: 101n }}          | ${'INSUFFICIENT_FUNDS'}
    ${{ amountMinor: 0n }}            | ${'AMOUNT_NOT_POSITIVE'}
    ${{ giverAccountId: 'nobody' }}   | ${'ACCOUNT_NOT_FOUND'}
    ${{ unit: 'USD' }}                | ${'UNIT_MISMATCH'}
    ${{ unit: '' }}                   | ${'INVALID_REQUEST'}
    ${{ accountId: '' }}              | ${'INVALID_REQUEST'}
    ${{ points: 1_000_000_000_001n }} | ${'INVALID_REQUEST'}
    ${{ scoredAtUs: -1n }}            | ${'INVALID_REQUEST'}
  `('with $change is refused with $reason', async ({ change, reason }: { change: Asked; reason: string }) => {
    const under = await running();
    expect(await under.refusal('gift', { ...gift('giver', 'r1', 30n, 'g1'), ...change })).toBe(reason);
    const { results } = await under.call('giftBatch', {
      gifts: [
        { contestId: 'c', ...gift('giver', 'r1', 1n, 'g2') },
        { contestId: 'c', ...gift('giver', 'r1', 30n, 'g3'), ...change },
      ],
    });
    expect(results.map(({ balanceAfterMinor, error }) => error?.reason ?? balanceAfterMinor)).toEqual([99n, reason]);
  });

  test('cannot be ordered as a transfer by a caller', async () => {
    const under = await running();
    const transfer = { requestId: 't', fromAccountId: 'giver', toAccountId: 'c', amountMinor: 1n, unit: 'EUR', toCapability: 'contest' };
    await expect(under.transfer(transfer)).rejects.toMatchObject({ reason: 'INVALID_REQUEST' });
  });
});
