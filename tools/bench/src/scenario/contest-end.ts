/** A contest of many scores and many winners is ended: how long until it is compared with the log, and until every winner has its reward. */
import { SluiceClient } from '@sluice/client';
import type { Bench, EmbeddedTarget } from '../bench';
import { numberedAccountId } from '../load/load-order';
import { creditOf } from '../load/request-frame';
import type { Proof } from '../measure/proof';
import type { ContestEndFigures } from '../report/report';
import { numberedAccounts } from './many-accounts';

const CONTEST = 'ended-contest';
const FUND = 'fund';
const LOSER = 'loser';
const UNIT = 'EUR';
const REWARD_MINOR = 100n;
const SCORES = 1_000_000;
const BATCHES_IN_FLIGHT = 8;
const RECONCILE_WAIT_MS = 60_000;
const CALL = { deadlineMs: 60_000 };

export interface ContestEnd {
  readonly figures: ContestEndFigures;
  /** Of the scores. */
  readonly proof: Proof;
}

/** At a server of its own. Every member of the one side scores, and wins. */
export async function measureContestEnd(bench: Bench, winners: number): Promise<ContestEnd> {
  const target = await bench.startEmbedded('a server for the end of a contest');
  const client = new SluiceClient({ target: target.server.address, ...CALL });
  try {
    await begin(client, target, winners);
    bench.progress.step('scores before the end');
    const batchSize = Math.min(bench.options.batchSize, bench.options.entries ?? SCORES);
    const scored = await bench.load(target, {
      calls: { kind: 'scoreBatches', batchSize, contestId: CONTEST, members: winners },
      inFlight: BATCHES_IN_FLIGHT,
      warmUpMs: 0,
      windowMs: Number.MAX_SAFE_INTEGER,
      maximumCalls: Math.ceil((bench.options.entries ?? SCORES) / batchSize),
    });
    await target.control.drain();
    bench.progress.step('ending the contest');
    await client.contests.endRound(CONTEST, 1);
    await untilPhase(client, 'ENDED');
    return await judge(bench, client, target, { scores: scored.acknowledged, winners });
  } finally {
    client.close();
    await target.server.stop();
  }
}

async function begin(client: SluiceClient, { control }: EmbeddedTarget, winners: number): Promise<void> {
  await control.openAccounts([{ accountId: FUND }]);
  await control.openAccounts(numberedAccounts(winners));
  await control.post({ ...creditOf(FUND, REWARD_MINOR * BigInt(winners)), requestId: 'funds' });
  const sides = [
    { sideId: 'winners', accountIds: Array.from({ length: winners }, (_, index) => numberedAccountId(index)) },
    { sideId: 'losers', accountIds: [LOSER] },
  ];
  const reward = { fundAccountId: FUND, unit: UNIT, kind: 'FIXED', amountMinor: REWARD_MINOR } as const;
  await client.contests.create({ contestId: CONTEST, sides, rules: { reconcileWaitMs: RECONCILE_WAIT_MS, reward } }, CALL);
  await client.contests.start(CONTEST);
  await untilPhase(client, 'RUNNING');
}

async function judge(
  bench: Bench,
  client: SluiceClient,
  target: EmbeddedTarget,
  { scores, winners }: { readonly scores: number; readonly winners: number },
): Promise<ContestEnd> {
  const [round] = await client.contests.reconciliation(CONTEST, CALL);
  const contest = await client.contests.get(CONTEST, CALL);
  await target.control.drain();
  const accounts = await client.accounts.batchGet([FUND, ...contestMembers(winners)], CALL);
  const unpaid = contestMembers(winners).filter((accountId) => accounts.get(accountId)?.balanceMinor !== REWARD_MINOR).length;
  if (unpaid > 0) bench.complaints.push(`${unpaid} of ${winners} winners do not have their reward`);
  if (accounts.get(FUND)?.balanceMinor !== 0n) bench.complaints.push(`the fund has ${accounts.get(FUND)?.balanceMinor}, not 0`);
  if (round?.outcome !== 'EQUAL') bench.complaints.push(`the end of the contest: ${round?.outcome} ${round?.notCompared}`);
  const { equal, differences } = await target.control.verifyAll();
  bench.complaints.push(...differences);
  const logged = round?.scoreCount ?? 0;
  const [endedMs, reconciledMs, overMs] = [round?.endedAt, round?.reconciledAt, contest.endedAt].map((time) => time?.getTime() ?? Number.NaN) as [
    number,
    number,
    number,
  ];
  return {
    figures: { scores, winners, reconciledMs: reconciledMs - endedMs, rewardedMs: overMs - reconciledMs },
    proof: {
      acknowledged: scores,
      logged,
      projected: contest.scoreCount,
      verified: equal && unpaid === 0 && scores === logged && logged === contest.scoreCount,
    },
  };
}

function contestMembers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => numberedAccountId(index));
}

async function untilPhase(client: SluiceClient, phase: 'RUNNING' | 'ENDED'): Promise<void> {
  for await (const seen of client.contests.watch(CONTEST)) if (seen.phase === phase) return;
  throw new Error(`the contest never came to ${phase}`);
}
