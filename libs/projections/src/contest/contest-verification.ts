/**
 * What rows of contests must say, folded from the log once more. Points are worked out from the scores as they were sent, by the operator of the
 * contest; what the events say about points after a score is not used.
 */
import { murmurHash3 } from '@sluice/domain';
import { pointsAfter, type ScoreOperator } from '@sluice/domain/contest';
import type { DecodedCommit, EventHandlersOf } from '@sluice/protocol';
import { contestEvents, contestpb } from '@sluice/protocol/contest';
import { rowKind, verifyRows } from '../row-verification';
import {
  CONTEST_AGGREGATE,
  CONTEST_REWARDS,
  CONTEST_ROUNDS,
  CONTEST_SCORES,
  CONTEST_STANDINGS,
  CONTEST_SUBMISSIONS,
  CONTESTS,
  contestOfSubmission,
  rewardIdOf,
  roundIdOf,
  SCORES_PER_ROW,
  scoresIdOf,
  submissionIdOf,
} from './collections';
import { standingsStateOf } from './contest-rows';

/** A contest worked out anew. It is changed in place. */
interface VerifiedContest {
  phase: string;
  operator: ScoreOperator;
  round: number;
  isRegular: boolean;
  scoreCount: number;
  roundScoreCount: number;
  winners: string;
  fundState: string;
  paidMinor: bigint;
  readonly roundsWon: number[];
  /** By member. */
  readonly sides: number[];
  readonly points: number[];
  readonly roundPoints: number[];
  readonly scoredAtUs: number[];
  readonly sideCount: number;
}

const OPERATORS: Readonly<Record<number, ScoreOperator>> = {
  [contestpb.ScoreOperator.SCORE_OPERATOR_INCREMENT]: 'INCREMENT',
  [contestpb.ScoreOperator.SCORE_OPERATOR_BEST]: 'BEST',
  [contestpb.ScoreOperator.SCORE_OPERATOR_LATEST]: 'LATEST',
};

/** What an event makes of its contest. */
interface VerifiedStep {
  readonly contestId: string;
  readonly step: (before: VerifiedContest | undefined) => VerifiedContest;
}

function inPlace(contestId: string, change: (contest: VerifiedContest) => void): VerifiedStep {
  const step = (contest: VerifiedContest | undefined): VerifiedContest => {
    if (contest === undefined) throw new Error(`the log has events of contest ${contestId} before its creation`);
    change(contest);
    return contest;
  };
  return { contestId, step };
}

const STEPS: EventHandlersOf<typeof contestEvents, undefined, VerifiedStep> = {
  ContestCreated: (event) => ({ contestId: event.contestId, step: () => begun(event) }),
  MembersJoined: ({ contestId, side, accountIds }) => inPlace(contestId, (contest) => addMembers(contest, side, accountIds.length)),
  RoundStarted: (event) => inPlace(event.contestId, (contest) => beginRound(contest, event)),
  ScoresRecorded: (event) => inPlace(event.contestId, (contest) => addScores(contest, event)),
  ScoreSubmitted: ({ contestId }) => inPlace(contestId, () => undefined),
  ScoreRefused: ({ contestId }) => inPlace(contestId, () => undefined),
  RoundEnded: ({ contestId }) => inPlace(contestId, (contest) => void (contest.phase = 'RECONCILING')),
  RoundReconciled: ({ contestId }) => inPlace(contestId, countRound),
  WinnersNamed: ({ contestId, sides }) => inPlace(contestId, (contest) => nameWinners(contest, sides)),
  ContestCancelled: ({ contestId }) => inPlace(contestId, (contest) => void (contest.phase = 'CANCELLED')),
  FundAsked: ({ contestId }) => inPlace(contestId, (contest) => void Object.assign(contest, { phase: 'STARTING', fundState: 'ASKED' })),
  FundHeld: ({ contestId }) => inPlace(contestId, (contest) => void (contest.fundState = 'HELD')),
  FundRefused: ({ contestId }) => inPlace(contestId, (contest) => leavePhase(contest, 'CREATED', 'REFUSED')),
  RewardsOwed: ({ contestId }) => inPlace(contestId, () => undefined),
  RewardsSettled: ({ contestId, rewards }) => inPlace(contestId, (contest) => void (contest.paidMinor += paidBy(rewards))),
  FundSettled: ({ contestId }) => inPlace(contestId, (contest) => leavePhase(contest, 'ENDED', 'SETTLED')),
};

/** What each event of the commit makes of its contest, in order. */
function stepsOf(commit: DecodedCommit, visit: (contestId: string, step: VerifiedStep['step']) => void): void {
  for (const event of commit.events) {
    if (!contestEvents.owns(event.type)) continue;
    const { contestId, step } = contestEvents.read(event, commit, STEPS, undefined);
    visit(contestId, step);
  }
}

/** A contest that was cancelled meanwhile stays so. */
function leavePhase(contest: VerifiedContest, phase: string, fundState: string): void {
  if (contest.phase !== 'CANCELLED') contest.phase = phase;
  contest.fundState = fundState;
}

function nameWinners(contest: VerifiedContest, sides: readonly number[]): void {
  contest.phase = contest.fundState === 'HELD' ? 'REWARDING' : 'ENDED';
  contest.winners = sides.join();
}

function paidBy(rewards: readonly contestpb.SettledReward[]): bigint {
  return rewards.reduce((sum, { amountMinor, reason }) => sum + (reason === '' ? amountMinor : 0n), 0n);
}

function begun({ rules, sides }: contestpb.ContestCreated): VerifiedContest {
  const contest: VerifiedContest = {
    phase: 'CREATED',
    operator: OPERATORS[rules?.operator ?? 0] ?? 'INCREMENT',
    round: 0,
    isRegular: true,
    scoreCount: 0,
    roundScoreCount: 0,
    winners: '',
    fundState: '',
    paidMinor: 0n,
    roundsWon: sides.map(() => 0),
    sides: [],
    points: [],
    roundPoints: [],
    scoredAtUs: [],
    sideCount: sides.length,
  };
  for (const [side, { accountIds }] of sides.entries()) addMembers(contest, side, accountIds.length);
  return contest;
}

function addMembers({ sides, points, roundPoints, scoredAtUs }: VerifiedContest, side: number, count: number): void {
  for (let added = 0; added < count; added += 1) {
    sides.push(side);
    points.push(0);
    roundPoints.push(0);
    scoredAtUs.push(0);
  }
}

function beginRound(contest: VerifiedContest, { round, suddenDeathSides }: contestpb.RoundStarted): void {
  Object.assign(contest, { phase: 'RUNNING', round, isRegular: suddenDeathSides.length === 0, roundScoreCount: 0 });
  contest.roundPoints.fill(0);
  contest.scoredAtUs.fill(0);
}

function addScores(contest: VerifiedContest, { scores }: contestpb.ScoresRecorded): void {
  const { points, roundPoints, scoredAtUs, operator, isRegular } = contest;
  for (const { member, points: sent, scoredAtUs: at } of scores) {
    const before = roundPoints[member] as number;
    const after = pointsAfter(operator, before, scoredAtUs[member] as number, Number(sent), Number(at));
    roundPoints[member] = after;
    scoredAtUs[member] = Math.max(scoredAtUs[member] as number, Number(at));
    if (isRegular) points[member] = (points[member] as number) + after - before;
  }
  contest.scoreCount += scores.length;
  contest.roundScoreCount += scores.length;
}

function countRound(contest: VerifiedContest): void {
  if (!contest.isRegular) return;
  const bySide = bySides(contest, contest.roundPoints);
  const most = Math.max(...bySide);
  const winners = bySide.flatMap((points, side) => (points === most ? [side] : []));
  if (winners.length === 1) contest.roundsWon[winners[0] as number] = (contest.roundsWon[winners[0] as number] as number) + 1;
}

function bySides({ sides, sideCount }: VerifiedContest, points: readonly number[]): number[] {
  const sums = new Array<number>(sideCount).fill(0);
  for (const [member, side] of sides.entries()) sums[side] = (sums[side] as number) + (points[member] as number);
  return sums;
}

const contestRows = rowKind<VerifiedContest>({
  aggregate: CONTEST_AGGREGATE,
  collection: CONTESTS,
  counted: 'contests',
  fold: stepsOf,
  row: (contest) => ({
    phase: contest.phase,
    round: contest.round,
    score_count: contest.scoreCount,
    side_points: bySides(contest, contest.points).join(),
    side_round_points: bySides(contest, contest.roundPoints).join(),
    rounds_won: contest.roundsWon.join(),
    winners: contest.winners,
    fund_state: contest.fundState,
    paid_minor: contest.paidMinor,
  }),
});

const standingRows = rowKind<VerifiedContest>({
  aggregate: 'standings',
  collection: CONTEST_STANDINGS,
  counted: 'contest members',
  setAsideWith: CONTEST_AGGREGATE,
  fold: stepsOf,
  row: ({ points, roundPoints }) => ({ points: points.join(), round_points: roundPoints.join() }),
  stored: (row) => {
    const { points, roundPoints } = standingsStateOf(row);
    return { points: points.join(), round_points: roundPoints.join() };
  },
  count: ({ points }) => points.length,
});

/** A round that has ended. */
interface VerifiedRound {
  readonly scoreCount: number;
  readonly sidePoints: string;
}

const roundRows = rowKind<VerifiedRound>({
  aggregate: 'round',
  collection: CONTEST_ROUNDS,
  partitionKey: (roundId) => roundId.slice(0, roundId.lastIndexOf('#')),
  counted: 'contest rounds',
  setAsideWith: CONTEST_AGGREGATE,
  fold: (commit, change) => {
    for (const event of commit.events) {
      const started = contestEvents.readOnly('RoundStarted', event, commit);
      if (started !== undefined) change(roundIdOf(started.contestId, started.round), () => ({ scoreCount: 0, sidePoints: '' }));
      const ended = contestEvents.readOnly('RoundEnded', event, commit);
      if (ended !== undefined)
        change(roundIdOf(ended.contestId, ended.round), () => ({ scoreCount: Number(ended.scoreCount), sidePoints: ended.sidePoints.join() }));
    }
  },
  row: ({ scoreCount, sidePoints }) => ({ score_count: scoreCount, log_side_points: sidePoints }),
});

interface VerifiedScores {
  readonly round: number;
  readonly scores: contestpb.RecordedScore[];
}

const scoreRows = rowKind<VerifiedScores>({
  aggregate: 'scores',
  // It is written once: its own commit is the one that it reflects.
  collection: { ...CONTEST_SCORES, guard: 'sequence' },
  partitionKey: (scoresId) => scoresId.slice(0, scoresId.lastIndexOf('#', scoresId.lastIndexOf('#') - 1)),
  counted: 'contest scores',
  setAsideWith: CONTEST_AGGREGATE,
  fold: (commit, change) => {
    for (const [key, scores] of scoresOf(commit)) change(key, () => scores);
  },
  row: ({ round, scores }) => ({ round, scores: digestOf(contestpb.ScoreRow.encode({ round, scores }).finish()) }),
  stored: ({ round = 0, scores }) => ({ round, scores: digestOf(scores as Uint8Array) }),
  count: ({ scores }) => scores.length,
});

/** The scores of a commit, cut as rows must be. */
function scoresOf(commit: DecodedCommit): Map<string, VerifiedScores> {
  const rows = new Map<string, VerifiedScores>();
  const newest = new Map<string, { readonly part: number; readonly row: VerifiedScores }>();
  for (const event of commit.events) {
    const scored = contestEvents.readOnly('ScoresRecorded', event, commit);
    if (scored === undefined) continue;
    const { contestId, round } = scored;
    for (const score of scored.scores) {
      let last = newest.get(contestId);
      if (last === undefined || last.row.round !== round || last.row.scores.length === SCORES_PER_ROW) {
        last = { part: last === undefined ? 0 : last.part + 1, row: { round, scores: [] } };
        newest.set(contestId, last);
        rows.set(scoresIdOf(contestId, commit.sequence, last.part), last.row);
      }
      last.row.scores.push(score);
    }
  }
  return rows;
}

/** Tells bytes apart that differ by mistake. */
function digestOf(bytes: Uint8Array): string {
  const halves = [0, 1].map((seed) => (murmurHash3(bytes, 0, bytes.length, seed) >>> 0).toString(16));
  return `${bytes.length} ${halves.join(' ')}`;
}

interface VerifiedReward {
  readonly accountId: string;
  readonly amountMinor: bigint;
  readonly state: string;
  readonly reason: string;
}

const rewardRows = rowKind<VerifiedReward>({
  aggregate: 'reward',
  collection: CONTEST_REWARDS,
  partitionKey: (rewardId) => rewardId.slice(0, rewardId.lastIndexOf('#')),
  counted: 'contest rewards',
  setAsideWith: CONTEST_AGGREGATE,
  fold: (commit, change) => {
    for (const event of commit.events) {
      const owed = contestEvents.readOnly('RewardsOwed', event, commit);
      for (const { member, accountId, amountMinor } of owed?.rewards ?? [])
        change(rewardIdOf(owed?.contestId ?? '', member), () => ({ accountId, amountMinor, state: 'OUTSTANDING', reason: '' }));
      const settled = contestEvents.readOnly('RewardsSettled', event, commit);
      for (const { member, accountId, amountMinor, reason } of settled?.rewards ?? [])
        change(rewardIdOf(settled?.contestId ?? '', member), () => ({ accountId, amountMinor, state: reason === '' ? 'PAID' : 'RETURNED', reason }));
    }
  },
  row: ({ accountId, amountMinor, state, reason }) => ({ account_id: accountId, amount_minor: amountMinor, state, reason }),
});

interface VerifiedSubmission {
  readonly accountId: string;
  readonly points: number;
  readonly state: string;
  readonly reason: string;
  readonly round: number;
}

const submissionRows = rowKind<VerifiedSubmission>({
  aggregate: 'submitted score',
  collection: CONTEST_SUBMISSIONS,
  partitionKey: contestOfSubmission,
  counted: 'submitted scores',
  setAsideWith: CONTEST_AGGREGATE,
  fold: (commit, change) => {
    for (const event of commit.events) {
      const submitted = contestEvents.readOnly('ScoreSubmitted', event, commit);
      if (submitted !== undefined) {
        const { contestId, requestId, accountId, points } = submitted;
        change(submissionIdOf(contestId, requestId), () => ({ accountId, points: Number(points), state: 'SUBMITTED', reason: '', round: 0 }));
      }
      const refused = contestEvents.readOnly('ScoreRefused', event, commit);
      if (refused !== undefined) {
        const { contestId, requestId, reason } = refused;
        change(submissionIdOf(contestId, requestId), (before) => endedAs(before, { state: 'REFUSED', reason, round: 0 }));
      }
      const recorded = contestEvents.readOnly('ScoresRecorded', event, commit);
      for (const { submitted: wasSubmitted, requestId } of recorded?.scores ?? []) {
        if (!wasSubmitted || recorded === undefined) continue;
        const { contestId, round } = recorded;
        change(submissionIdOf(contestId, requestId), (before) => endedAs(before, { state: 'RECORDED', reason: '', round }));
      }
    }
  },
  row: ({ accountId, points, state, reason, round }) => ({ account_id: accountId, points, state, reason, round }),
});

function endedAs(before: VerifiedSubmission | undefined, end: Pick<VerifiedSubmission, 'state' | 'reason' | 'round'>): VerifiedSubmission {
  if (before === undefined) throw new Error('the log ends the task of a score that was never submitted');
  return { ...before, ...end };
}

export const contestVerification = verifyRows(contestRows, standingRows, roundRows, scoreRows, rewardRows, submissionRows);
