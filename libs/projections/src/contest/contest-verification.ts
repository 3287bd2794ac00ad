/**
 * What rows of contests must say, folded from the log once more. Points are worked out from the scores as they were sent, by the operator of the
 * contest; what the events say about points after a score is not used.
 */
import { murmurHash3 } from '@sluice/domain';
import { pointsAfter, type ScoreOperator } from '@sluice/domain/contest';
import type { DecodedCommit, EventRecord } from '@sluice/protocol';
import { contestEvents, contestpb } from '@sluice/protocol/contest';
import { rowKind, verifyRows } from '../row-verification';
import { CONTEST_AGGREGATE, CONTEST_ROUNDS, CONTEST_SCORES, CONTEST_STANDINGS, CONTESTS, roundIdOf, SCORES_PER_ROW, scoresIdOf } from './collections';
import { standingsStateOf } from './contest-rows';

/** A contest worked out anew. It is changed in place. */
interface VerifiedContest {
  phase: string;
  operator: ScoreOperator;
  hasReward: boolean;
  round: number;
  isRegular: boolean;
  scoreCount: number;
  roundScoreCount: number;
  winners: string;
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

type Step = (before: VerifiedContest | undefined) => VerifiedContest;
type Visit = (contestId: string, step: Step) => void;

/** What each event of the commit makes of its contest, in order. */
function stepsOf(commit: DecodedCommit, visit: Visit): void {
  for (const event of commit.events) {
    if (!contestEvents.owns(event.type)) continue;
    const created = contestEvents.readOnly('ContestCreated', event, commit);
    if (created !== undefined) visit(created.contestId, () => begun(created));
    const joined = contestEvents.readOnly('MembersJoined', event, commit);
    if (joined !== undefined)
      visit(
        joined.contestId,
        inPlace((contest) => addMembers(contest, joined.side, joined.accountIds.length)),
      );
    const started = contestEvents.readOnly('RoundStarted', event, commit);
    if (started !== undefined)
      visit(
        started.contestId,
        inPlace((contest) => beginRound(contest, started)),
      );
    const scored = contestEvents.readOnly('ScoresRecorded', event, commit);
    if (scored !== undefined)
      visit(
        scored.contestId,
        inPlace((contest) => addScores(contest, scored)),
      );
    const ended = contestEvents.readOnly('RoundEnded', event, commit);
    if (ended !== undefined)
      visit(
        ended.contestId,
        inPlace((contest) => void (contest.phase = 'RECONCILING')),
      );
    const reconciled = contestEvents.readOnly('RoundReconciled', event, commit);
    if (reconciled !== undefined) visit(reconciled.contestId, inPlace(countRound));
    const named = contestEvents.readOnly('WinnersNamed', event, commit);
    if (named !== undefined)
      visit(
        named.contestId,
        inPlace((contest) => void Object.assign(contest, { phase: contest.hasReward ? 'REWARDING' : 'ENDED', winners: named.sides.join() })),
      );
    moneySteps(event, commit, visit);
    const cancelled = contestEvents.readOnly('ContestCancelled', event, commit);
    if (cancelled !== undefined)
      visit(
        cancelled.contestId,
        inPlace((contest) => void (contest.phase = 'CANCELLED')),
      );
  }
}

/** Where the money of a contest leads it. */
function moneySteps(event: EventRecord, commit: DecodedCommit, visit: Visit): void {
  const asked = contestEvents.readOnly('FundAsked', event, commit);
  if (asked !== undefined)
    visit(
      asked.contestId,
      inPlace((contest) => void (contest.phase = 'STARTING')),
    );
  const refused = contestEvents.readOnly('FundRefused', event, commit);
  if (refused !== undefined)
    visit(
      refused.contestId,
      inPlace((contest) => void (contest.phase = contest.phase === 'CANCELLED' ? 'CANCELLED' : 'CREATED')),
    );
  const settled = contestEvents.readOnly('FundSettled', event, commit);
  if (settled !== undefined)
    visit(
      settled.contestId,
      inPlace((contest) => void (contest.phase = contest.phase === 'CANCELLED' ? 'CANCELLED' : 'ENDED')),
    );
}

function inPlace(change: (contest: VerifiedContest) => void): Step {
  return (contest) => {
    if (contest === undefined) throw new Error('the log has events of a contest before its creation');
    change(contest);
    return contest;
  };
}

function begun({ rules, sides }: contestpb.ContestCreated): VerifiedContest {
  const contest: VerifiedContest = {
    phase: 'CREATED',
    operator: OPERATORS[rules?.operator ?? 0] ?? 'INCREMENT',
    hasReward: rules?.reward !== undefined,
    round: 0,
    isRegular: true,
    scoreCount: 0,
    roundScoreCount: 0,
    winners: '',
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
  collection: CONTEST_SCORES,
  partitionKey: (scoresId) => scoresId.slice(0, scoresId.lastIndexOf('#', scoresId.lastIndexOf('#') - 1)),
  counted: 'contest scores',
  setAsideWith: CONTEST_AGGREGATE,
  fold: (commit, change) => {
    for (const [key, scores] of scoresOf(commit)) change(key, () => scores);
  },
  row: ({ round, scores }) => ({ round, scores: digestOf(contestpb.ScoresRecorded.encode({ contestId: '', round, scores }).finish()) }),
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

export const contestVerification = verifyRows(contestRows, standingRows, roundRows, scoreRows);
