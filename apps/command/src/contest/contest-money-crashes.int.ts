/**
 * The process dies at every step of a contest with money: before an append, or behind one of which it does not hear. The next process goes on from
 * the log. Whatever the step, the fund pays once, every winner is paid once, gifts score or come back, nothing is left in transit, and submitted scores
 * are recorded or refused once.
 */
import { contestpb } from '@sluice/protocol/contest';
import type { Asked } from '../test/aggregates-under-test';
import { ContestsUnderTest } from '../test/contests-under-test';
import type { Mortality } from '../test/mortal-log';

const REWARD = { fundAccountId: 'fund', unit: 'EUR', kind: contestpb.RewardKind.REWARD_KIND_FIXED, amountMinor: 100n };

/** Asks until there is an answer; a process that died is followed by another one. */
class Survivor {
  deaths = 0;
  private calls = 0;

  constructor(readonly under: ContestsUnderTest) {}

  private async succeed(): Promise<void> {
    this.deaths += 1;
    this.under.mortality = ContestsUnderTest.immortal();
    await this.under.crash();
  }

  private get isDead(): boolean {
    return this.under.mortality.isDead;
  }

  async ask(work: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await work();
        if (!this.isDead) return;
      } catch (error) {
        if (!this.isDead) throw error;
      }
      await this.succeed();
    }
  }

  call(method: Parameters<ContestsUnderTest['call']>[0], request: Asked): Promise<void> {
    this.calls += 1;
    const requestId = `call ${this.calls}`;
    return this.ask(() => this.under.call(method, { requestId, ...request }));
  }

  async until(is: () => boolean): Promise<void> {
    for (let round = 0; ; round += 1) {
      if (this.isDead) await this.succeed();
      // Deliveries that were not reached, and rounds that were not reconciled, come again after a pause.
      if (round % 20 === 0) await this.under.clock.elapse(1_000);
      if (round % 20 === 0) await this.under.fireDue().catch(() => undefined);
      if (!this.isDead && this.isServing() && is()) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  private isServing(): boolean {
    return this.under.isServing;
  }
}

async function story(mortality: Mortality): Promise<{ survivor: Survivor; appends: number }> {
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

const BIG = 1_000_000;

test('the process dies at each append, and the money is right', async () => {
  const { survivor, appends } = await story({ appendsLeft: BIG, isStored: false, isDead: false });
  await survivor.under.stop();
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
      await under.stop();
    }
  }
});
