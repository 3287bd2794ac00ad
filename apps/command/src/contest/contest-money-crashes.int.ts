/**
 * The process dies at every step of a contest with money: before an append, or behind one of which it does not hear. The next process goes on from
 * the log. Whatever the step, the fund pays once, every winner is paid once, gifts score or come back, nothing is left in transit, and submitted scores
 * are recorded or refused once.
 */
import { contestpb } from '@sluice/protocol/contest';
import { ContestsUnderTest } from '../test/contests-under-test';
import { MortalLog, type Mortality } from '../test/mortal-log';
import { Survivor } from '../test/survivor';

const REWARD = { fundAccountId: 'fund', unit: 'EUR', kind: contestpb.RewardKind.REWARD_KIND_FIXED, amountMinor: 100n };

async function story(mortality: Mortality): Promise<{ survivor: Survivor<ContestsUnderTest>; appends: number }> {
  const under = await ContestsUnderTest.start();
  const survivor = new Survivor(under);
  const contest = () => under.contest();
  await under.open('fund', 1_000n);
  await under.open('r1');
  // Its reward cannot be delivered.
  await under.open('r2', 0n, { unit: 'USD' });
  await under.open('b1');
  await under.open('giver', 100n);
  await under.open('stranger giver', 100n);
  await under.create({ reward: REWARD });
  Object.assign(under.mortality, mortality);
  const { appendsLeft } = mortality;
  await survivor.call('startContest', {});
  await survivor.until(() => contest().phase === 'RUNNING');
  await survivor.call('gift', { giverAccountId: 'giver', accountId: 'r1', amountMinor: 30n, unit: 'EUR' });
  await survivor.call('gift', { giverAccountId: 'stranger giver', accountId: 'stranger', amountMinor: 40n, unit: 'EUR' });
  await survivor.call('score', { accountId: 'b1', points: 7n });
  await survivor.call('submitScore', { accountId: 'b1', points: 2n });
  await survivor.call('submitScore', { accountId: 'stranger', points: 2n });
  await survivor.until(() => contest().unfinishedTasks === 0);
  await survivor.until(() => contest().roundScoreCount === 3 && under.account('stranger giver').inTransitMinor === 0n);
  await survivor.call('endRound', { round: 1 });
  await survivor.until(() => contest().phase === 'ENDED' && under.account('giver').inTransitMinor === 0n);
  return { survivor, appends: appendsLeft - under.mortality.appendsLeft };
}

test('the process dies at each append, and the money is right', async () => {
  const { survivor, appends } = await story(MortalLog.immortal());
  await survivor.under.kill();
  expect(survivor.deaths).toBe(0);
  expect(appends).toBeGreaterThan(15);
  for (let at = 1; at <= appends; at += 1) {
    for (const isStored of [false, true]) {
      const { survivor: one } = await story({ appendsLeft: at, isStored, isDead: false });
      const { under } = one;
      const { fund } = under.contest();
      const settled = (under.recorded().FundSettled as contestpb.FundSettled[]).map(({ paidMinor, returnedMinor }) => [paidMinor, returnedMinor]);
      const rewards = (under.recorded().RewardsOwed as contestpb.RewardsOwed[]).flatMap((event) => event.rewards.map(({ accountId }) => accountId));
      expect({ at, isStored, state: fund?.state, settled, rewards, balances: under.balances('fund', 'r1', 'r2', 'b1', 'giver', 'stranger giver') }).toEqual({
        ...{ at, isStored, state: 'SETTLED', settled: [[100n, 100n]], rewards: ['r1', 'r2'] },
        balances: [900n, 100n, 0n, 0n, 70n, 100n],
      });
      expect(under.account('fund').inTransitMinor).toBe(0n);
      const scores = (under.recorded().ScoresRecorded as contestpb.ScoresRecorded[]).flatMap((event) => event.scores);
      expect(scores.filter(({ submitted }) => submitted)).toMatchObject([{ accountId: 'b1', points: 2n }]);
      expect([scores.length, under.recorded().ScoreRefused]).toMatchObject([3, [{ accountId: 'stranger', reason: 'CONTEST_MEMBER_NOT_FOUND' }]]);
      await under.kill();
    }
  }
});
