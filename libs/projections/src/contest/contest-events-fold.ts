/** Events of contests as changes of their rows. */
import type { EventHandlersOf } from '@sluice/protocol';
import { contestpb, RecordedScores, type summedContestEvents } from '@sluice/protocol/contest';
import type { CommitPlace } from '../projection';
import { CONTEST_REWARDS, CONTEST_ROSTERS, CONTEST_ROUNDS, CONTEST_SUBMISSIONS, rewardIdOf, roundIdOf, submissionIdOf } from './collections';
import type { ContestState, RoundState } from './contest-rows';
import type { ContestRowsOfFlush } from './contest-rows-of-flush';

/** A row that an event needs beside that of the contest and that of its standings. */
export interface NeededRow {
  readonly collection: string;
  readonly key: string;
}

/** An event, and how it becomes rows. */
export interface ContestChange {
  readonly contestId: string;
  readonly needs?: readonly NeededRow[];
  /** Throws for an event that cannot follow. */
  fold(rows: ContestRowsOfFlush, at: CommitPlace): void;
}

type Handlers = EventHandlersOf<typeof summedContestEvents, undefined, ContestChange>;

export const CONTEST_EVENT_ROWS: Handlers = {
  ContestCreated: (event) => ({ contestId: event.contestId, fold: (rows, at) => created(event, rows, at) }),

  MembersJoined: ({ contestId, side, accountIds }) => ({
    contestId,
    needs: [{ collection: CONTEST_ROSTERS.name, key: contestId }],
    fold: (rows, at) => {
      const added = accountIds.length;
      rows.changeRoster(at, (roster) => {
        for (const accountId of accountIds) roster.accountIds.push(accountId);
        const sides = new Uint8Array(roster.sides.length + added).fill(side);
        sides.set(roster.sides);
        roster.sides = sides;
      });
      rows.changeStandings(at, (standings) => {
        standings.points = withZeros(standings.points, added);
        standings.roundPoints = withZeros(standings.roundPoints, added);
      });
      rows.changeContest(at, ({ sideMemberCounts }) => add(sideMemberCounts, side, added));
    },
  }),

  RoundStarted: (event) => ({ contestId: event.contestId, fold: (rows, at) => roundStarted(event, rows, at) }),

  ScoresRecorded: (payload) => scored(new RecordedScores(payload)),

  RoundEnded: ({ contestId, round, sidePoints, scoreCount }) => ({
    contestId,
    needs: [roundRow(contestId, round)],
    fold: (rows, at) => {
      rows.changeRound(at, round, (state) => {
        state.endedAtUs = at.committedAtUs;
        state.scoreCount = Number(scoreCount);
        state.logSidePoints = sidePoints.map(Number);
      });
      rows.changeContest(at, (contest) => {
        contest.phase = 'RECONCILING';
      });
    },
  }),

  RoundReconciled: (event) => ({
    contestId: event.contestId,
    needs: [roundRow(event.contestId, event.round)],
    fold: (rows, at) => reconciled(event, rows, at),
  }),

  WinnersNamed: ({ contestId, sides }) => ({
    contestId,
    fold: (rows, at) =>
      rows.changeContest(at, (contest) => {
        contest.winners = sides;
        if (contest.fundState === 'HELD') contest.phase = 'REWARDING';
        else over(contest, 'ENDED', at);
      }),
  }),

  ScoreSubmitted: ({ contestId, requestId, accountId, points, scoredAtUs }) => ({
    contestId,
    fold: (rows, at) => {
      const score = { requestId, accountId, points: Number(points), scoredAtUs: Number(scoredAtUs) };
      rows.submit(at, { ...score, state: 'SUBMITTED', reason: '', round: 0, submittedAtUs: at.committedAtUs, endedAtUs: 0 });
    },
  }),

  ScoreRefused: ({ contestId, requestId, reason }) => ({
    contestId,
    needs: [submissionRow(contestId, requestId)],
    fold: (rows, at) => rows.endSubmission(at, requestId, reason, 0),
  }),

  ContestCancelled: ({ contestId, note }) => ({
    contestId,
    fold: (rows, at) =>
      rows.changeContest(at, (contest) => {
        over(contest, 'CANCELLED', at);
        contest.note = note;
      }),
  }),

  FundAsked: ({ contestId, amountMinor }) => ({
    contestId,
    fold: (rows, at) =>
      rows.changeContest(at, (contest) => {
        contest.phase = 'STARTING';
        contest.fundState = 'ASKED';
        contest.fundAmountMinor = amountMinor;
        contest.fundReason = '';
      }),
  }),

  FundHeld: ({ contestId, amountMinor }) => ({
    contestId,
    fold: (rows, at) =>
      rows.changeContest(at, (contest) => {
        contest.fundState = 'HELD';
        contest.fundAmountMinor = amountMinor;
      }),
  }),

  FundRefused: ({ contestId, reason }) => ({
    contestId,
    fold: (rows, at) =>
      rows.changeContest(at, (contest) => {
        if (contest.phase === 'STARTING') contest.phase = 'CREATED';
        contest.fundState = 'REFUSED';
        contest.fundReason = reason;
      }),
  }),

  RewardsOwed: ({ contestId, rewards }) => ({
    contestId,
    fold: (rows, at) => {
      for (const { member, accountId, side, amountMinor } of rewards) {
        rows.oweReward(at, { member, accountId, side, amountMinor, state: 'OUTSTANDING', reason: '', owedAtUs: at.committedAtUs, settledAtUs: 0 });
      }
    },
  }),

  RewardsSettled: ({ contestId, rewards }) => ({
    contestId,
    needs: rewards.map(({ member }) => ({ collection: CONTEST_REWARDS.name, key: rewardIdOf(contestId, member) })),
    fold: (rows, at) => {
      for (const { member, reason } of rewards) {
        rows.changeReward(at, member, (state) => {
          state.state = reason === '' ? 'PAID' : 'RETURNED';
          state.reason = reason;
          state.settledAtUs = at.committedAtUs;
        });
      }
      rows.changeContest(at, (contest) => {
        for (const { amountMinor, reason } of rewards) if (reason === '') contest.paidMinor += amountMinor;
      });
    },
  }),

  FundSettled: ({ contestId, paidMinor, returnedMinor }) => ({
    contestId,
    fold: (rows, at) =>
      rows.changeContest(at, (contest) => {
        if (contest.phase !== 'CANCELLED') over(contest, 'ENDED', at);
        contest.fundState = 'SETTLED';
        contest.paidMinor = paidMinor;
        contest.returnedMinor = returnedMinor;
      }),
  }),
};

function over(contest: ContestState, phase: 'ENDED' | 'CANCELLED', { committedAtUs }: CommitPlace): void {
  contest.phase = phase;
  contest.endedAtUs = committedAtUs;
}

function scored(recorded: RecordedScores): ContestChange {
  const { contestId, round } = recorded;
  const needs: NeededRow[] = [];
  recorded.forEachOutcome(({ submittedId }) => {
    if (submittedId !== '') needs.push(submissionRow(contestId, submittedId));
  });
  return {
    contestId,
    needs,
    fold: (rows, at) => {
      rows.addScores(at, recorded);
      rows.changeStandings(at, ({ points, roundPoints }) =>
        recorded.forEachOutcome(({ member, totalPoints, roundPoints: after }) => {
          points[member] = totalPoints;
          roundPoints[member] = after;
        }),
      );
      rows.changeContest(at, (contest) =>
        recorded.forEachOutcome(({ side, sideRoundPoints }) => {
          sideScored(contest, side, sideRoundPoints);
          contest.scoreCount += 1;
        }),
      );
      if (needs.length > 0) recorded.forEachOutcome(({ submittedId }) => submittedId !== '' && rows.endSubmission(at, submittedId, '', round));
    },
  };
}

function submissionRow(contestId: string, requestId: string): NeededRow {
  return { collection: CONTEST_SUBMISSIONS.name, key: submissionIdOf(contestId, requestId) };
}

function roundRow(contestId: string, round: number): NeededRow {
  return { collection: CONTEST_ROUNDS.name, key: roundIdOf(contestId, round) };
}

function created({ rules, sides, title }: contestpb.ContestCreated, rows: ContestRowsOfFlush, at: CommitPlace): void {
  if (rules === undefined) throw new Error('the contest is recorded without rules');
  const sideMemberCounts = sides.map(({ accountIds }) => accountIds.length);
  const zeros = (): number[] => sides.map(() => 0);
  const contest: ContestState = {
    title,
    phase: 'CREATED',
    rules: contestpb.ContestRules.encode(rules).finish(),
    sideIds: sides.map(({ sideId }) => sideId),
    sideMemberCounts,
    sidePoints: zeros(),
    sideRoundPoints: zeros(),
    roundsWon: zeros(),
    round: 0,
    roundEndsAtUs: 0,
    suddenDeathSides: [],
    winners: [],
    scoreCount: 0,
    createdAtUs: at.committedAtUs,
    startedAtUs: 0,
    endedAtUs: 0,
    note: '',
    fundState: '',
    fundAmountMinor: 0n,
    paidMinor: 0n,
    returnedMinor: 0n,
    fundReason: '',
    standingsSequence: at.sequence,
  };
  const accountIds = sides.flatMap((side) => side.accountIds);
  const { length } = accountIds;
  const standings = { points: new Float64Array(length), roundPoints: new Float64Array(length) };
  const sideOfMembers = Uint8Array.from(sideMemberCounts.flatMap((count, side) => new Array<number>(count).fill(side)));
  rows.createContest(at, contest, standings, { accountIds, sides: sideOfMembers });
}

function roundStarted({ round, endsAtUs, suddenDeathSides }: contestpb.RoundStarted, rows: ContestRowsOfFlush, at: CommitPlace): void {
  const state: RoundState = {
    round,
    suddenDeath: suddenDeathSides.length > 0,
    startedAtUs: at.committedAtUs,
    endedAtUs: 0,
    reconciledAtUs: 0,
    scoreCount: 0,
    logSidePoints: [],
    logSideTotals: [],
    logSequence: 0,
    readSidePoints: [],
    readSideTotals: [],
    readSequence: 0,
    notCompared: '',
  };
  rows.beginRound(at, state);
  rows.changeStandings(at, ({ roundPoints }) => void roundPoints.fill(0));
  rows.changeContest(at, (contest) => {
    contest.phase = 'RUNNING';
    contest.round = round;
    contest.roundEndsAtUs = Number(endsAtUs);
    contest.suddenDeathSides = suddenDeathSides;
    contest.sideRoundPoints.fill(0);
    if (contest.startedAtUs === 0) contest.startedAtUs = at.committedAtUs;
  });
}

/** What a score adds goes on from the row: the event says what the side has in the round, and the row what it had before. */
function sideScored({ sidePoints, sideRoundPoints, suddenDeathSides }: ContestState, side: number, after: number): void {
  if (suddenDeathSides.length === 0) add(sidePoints, side, after - (sideRoundPoints[side] as number));
  sideRoundPoints[side] = after;
}

/** The sums of the log take the place of what the row has, whatever that is. */
function reconciled(event: contestpb.RoundReconciledV2, rows: ContestRowsOfFlush, at: CommitPlace): void {
  const logSidePoints = event.logSidePoints.map(Number);
  const logSideTotals = event.logSideTotals.map(Number);
  rows.changeRound(at, event.round, (state) => {
    state.reconciledAtUs = at.committedAtUs;
    state.scoreCount = Number(event.logScoreCount);
    state.logSidePoints = logSidePoints;
    state.logSideTotals = logSideTotals;
    state.logSequence = Number(event.logSequence);
    state.readSidePoints = (event.read?.sidePoints ?? []).map(Number);
    state.readSideTotals = (event.read?.sideTotals ?? []).map(Number);
    state.readSequence = Number(event.read?.sequence ?? 0n);
    state.notCompared = event.notCompared;
  });
  rows.changeContest(at, (contest) => {
    contest.sideRoundPoints = [...logSidePoints];
    // Version 1 of the event does not have them.
    if (logSideTotals.length > 0) contest.sidePoints = [...logSideTotals];
    if (contest.suddenDeathSides.length > 0) return;
    const most = Math.max(...logSidePoints);
    const first = logSidePoints.indexOf(most);
    if (logSidePoints.lastIndexOf(most) === first) add(contest.roundsWon, first, 1);
  });
}

function add(numbers: number[], at: number, added: number): void {
  numbers[at] = (numbers[at] as number) + added;
}

function withZeros(column: Float64Array, added: number): Float64Array {
  const longer = new Float64Array(column.length + added);
  longer.set(column);
  return longer;
}
