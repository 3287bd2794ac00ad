/** Contests as their rows have them, in the form of their messages. */
import type { ReadCopy, Row } from '@sluice/ports';
import { contestpb } from '@sluice/protocol/contest';
import { timeOfRow } from '../time-of-row';
import { CONTEST_ROUNDS, CONTESTS } from './collections';
import { type ContestState, contestStateOf, numbersOf, rewardStateOf, type RoundState, roundStateOf, submissionStateOf } from './contest-rows';

/** A contest has at most so many rounds: 100 regular ones and 20 of sudden death. */
const MAXIMUM_ROUNDS = 120;

const PHASES: Readonly<Record<string, contestpb.ContestPhase>> = {
  CREATED: contestpb.ContestPhase.CONTEST_PHASE_CREATED,
  STARTING: contestpb.ContestPhase.CONTEST_PHASE_STARTING,
  RUNNING: contestpb.ContestPhase.CONTEST_PHASE_RUNNING,
  RECONCILING: contestpb.ContestPhase.CONTEST_PHASE_RECONCILING,
  REWARDING: contestpb.ContestPhase.CONTEST_PHASE_REWARDING,
  ENDED: contestpb.ContestPhase.CONTEST_PHASE_ENDED,
  CANCELLED: contestpb.ContestPhase.CONTEST_PHASE_CANCELLED,
};

/** Undefined: there is no such contest. */
export async function readContest(copy: ReadCopy, contestId: string): Promise<contestpb.Contest | undefined> {
  const row = await copy.get(CONTESTS.name, contestId);
  return row && contestMessage(row);
}

/** A row of a contest was spoilt in the read store. */
export class SpoiltContestError extends Error {}

/** Throws SpoiltContestError where the rows hold what no projection writes. */
export function ofContestRows<Read>(contestId: string, read: () => Read): Read {
  try {
    return read();
  } catch (cause) {
    throw new SpoiltContestError(`the rows of contest ${contestId} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Throws SpoiltContestError. */
export function contestMessage(row: Row): contestpb.Contest {
  return ofContestRows(row.contest_id as string, () => messageOf(row));
}

function messageOf(row: Row): contestpb.Contest {
  const state = contestStateOf(row);
  const { sideIds, sideMemberCounts, sidePoints, sideRoundPoints, roundsWon } = state;
  const idsOf = (sides: readonly number[]): string[] => sides.map((side) => sideIds[side] as string);
  return {
    contestId: row.contest_id as string,
    title: state.title,
    phase: PHASES[state.phase] ?? contestpb.ContestPhase.UNRECOGNIZED,
    rules: contestpb.ContestRules.decode(state.rules),
    sides: sideIds.map((sideId, side) => ({
      sideId,
      memberCount: sideMemberCounts[side] as number,
      points: BigInt(sidePoints[side] as number),
      roundPoints: BigInt(sideRoundPoints[side] as number),
      roundsWon: roundsWon[side] as number,
    })),
    round: state.round,
    roundEndsAt: timeOfRow(state.roundEndsAtUs),
    suddenDeathSideIds: idsOf(state.suddenDeathSides),
    winnerSideIds: idsOf(state.winners),
    scoreCount: BigInt(state.scoreCount),
    createdAt: timeOfRow(state.createdAtUs),
    startedAt: timeOfRow(state.startedAtUs),
    endedAt: timeOfRow(state.endedAtUs),
    note: state.note,
    sequence: BigInt(row.sequence as number),
    money: moneyOf(state),
  };
}

const MONEY_STATES: Readonly<Record<Exclude<ContestState['fundState'], ''>, contestpb.ContestMoneyState>> = {
  ASKED: contestpb.ContestMoneyState.CONTEST_MONEY_STATE_ASKED,
  REFUSED: contestpb.ContestMoneyState.CONTEST_MONEY_STATE_REFUSED,
  HELD: contestpb.ContestMoneyState.CONTEST_MONEY_STATE_HELD,
  SETTLED: contestpb.ContestMoneyState.CONTEST_MONEY_STATE_SETTLED,
};

function moneyOf({ fundState, fundAmountMinor, paidMinor, returnedMinor, fundReason }: ContestState): contestpb.ContestMoney | undefined {
  if (fundState === '') return undefined;
  return { state: MONEY_STATES[fundState], heldMinor: fundAmountMinor, paidMinor, returnedMinor, reason: fundReason };
}

/** Whether nothing will happen to it any more. */
export function isOver({ phase }: contestpb.Contest): boolean {
  return phase === contestpb.ContestPhase.CONTEST_PHASE_ENDED || phase === contestpb.ContestPhase.CONTEST_PHASE_CANCELLED;
}

/** Points of the sides as the read store shows them. */
export interface ReadSidePoints {
  /** In the round that runs or was the last one. */
  readonly sidePoints: readonly number[];
  /** In all regular rounds. */
  readonly sideTotals: readonly number[];
}

export function sidePointsOf(row: Row): ReadSidePoints {
  return { sidePoints: numbersOf(row.side_round_points), sideTotals: numbersOf(row.side_points) };
}

/** The rounds that have ended, the first one first. */
export async function readReconciliation(copy: ReadCopy, { contestId, sides }: contestpb.Contest): Promise<contestpb.RoundReconciliation[]> {
  const query = { collection: CONTEST_ROUNDS.name, index: 'by_contest', equals: { contest_id: contestId }, limit: MAXIMUM_ROUNDS };
  const { rows } = await copy.find(query);
  const sideIds = sides.map(({ sideId }) => sideId);
  return rows.map(roundStateOf).flatMap((round) => (round.endedAtUs === 0 ? [] : [roundMessage(round, sideIds)]));
}

function roundMessage(round: RoundState, sideIds: readonly string[]): contestpb.RoundReconciliation {
  const wasRead = round.readSidePoints.length > 0;
  return {
    round: round.round,
    suddenDeath: round.suddenDeath,
    startedAt: timeOfRow(round.startedAtUs),
    endedAt: timeOfRow(round.endedAtUs),
    reconciledAt: timeOfRow(round.reconciledAtUs),
    outcome: outcomeOf(round, wasRead),
    scoreCount: BigInt(round.scoreCount),
    sides: sideIds.map((sideId, side) => ({
      sideId,
      logPoints: BigInt(round.logSidePoints[side] ?? 0),
      logTotal: BigInt(round.logSideTotals[side] ?? 0),
      ...(wasRead ? { readPoints: BigInt(round.readSidePoints[side] ?? 0), readTotal: BigInt(round.readSideTotals[side] ?? 0) } : undefined),
    })),
    logSequence: BigInt(round.logSequence),
    readSequence: BigInt(round.readSequence),
    notCompared: round.notCompared,
  };
}

function outcomeOf(round: RoundState, wasRead: boolean): contestpb.ReconciliationOutcome {
  const { reconciledAtUs, logSidePoints, logSideTotals, readSidePoints, readSideTotals, readSequence, logSequence } = round;
  if (reconciledAtUs === 0) return contestpb.ReconciliationOutcome.RECONCILIATION_OUTCOME_PENDING;
  if (!wasRead) return contestpb.ReconciliationOutcome.RECONCILIATION_OUTCOME_NOT_COMPARED;
  if (readSidePoints.join() === logSidePoints.join() && readSideTotals.join() === logSideTotals.join())
    return contestpb.ReconciliationOutcome.RECONCILIATION_OUTCOME_EQUAL;
  const wasBehind = readSequence < logSequence;
  return wasBehind ? contestpb.ReconciliationOutcome.RECONCILIATION_OUTCOME_BEHIND : contestpb.ReconciliationOutcome.RECONCILIATION_OUTCOME_REPLACED;
}

/** @param sides of its contest. */
export function rewardMessage(row: Row, sides: readonly contestpb.SideStanding[]): contestpb.MemberReward {
  const { accountId, side, amountMinor, state, reason, owedAtUs, settledAtUs } = rewardStateOf(row);
  return {
    accountId,
    sideId: sides[side]?.sideId ?? '',
    amountMinor,
    state: contestpb.RewardState[`REWARD_STATE_${state}`],
    reason,
    owedAt: timeOfRow(owedAtUs),
    settledAt: timeOfRow(settledAtUs),
    sequence: BigInt(row.sequence as number),
  };
}

export function submittedScoreMessage(row: Row): contestpb.SubmittedScore {
  const { requestId, accountId, points, scoredAtUs, state, reason, round, submittedAtUs, endedAtUs } = submissionStateOf(row);
  return {
    requestId,
    accountId,
    points: BigInt(points),
    scoredAt: timeOfRow(scoredAtUs),
    state: contestpb.SubmittedScoreState[`SUBMITTED_SCORE_STATE_${state}`],
    reason,
    round,
    submittedAt: timeOfRow(submittedAtUs),
    endedAt: timeOfRow(endedAtUs),
    sequence: BigInt(row.sequence as number),
  };
}
