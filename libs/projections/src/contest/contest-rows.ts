/** Rows of contests as states that events change in place. */
import type { Row } from '@sluice/ports';

/** By side. */
export type SideNumbers = number[];

export interface ContestState {
  title: string;
  phase: string;
  rules: Uint8Array;
  sideIds: string[];
  sideMemberCounts: SideNumbers;
  sidePoints: SideNumbers;
  sideRoundPoints: SideNumbers;
  roundsWon: SideNumbers;
  round: number;
  roundEndsAtUs: number;
  suddenDeathSides: number[];
  winners: number[];
  scoreCount: number;
  createdAtUs: number;
  startedAtUs: number;
  endedAtUs: number;
  note: string;
  /** Empty: nothing was asked of a fund. */
  fundState: '' | 'ASKED' | 'REFUSED' | 'HELD' | 'SETTLED';
  fundAmountMinor: bigint;
  paidMinor: bigint;
  returnedMinor: bigint;
  fundReason: string;
  standingsSequence: number;
}

/** Points of all members, by number. */
export interface StandingsState {
  points: Float64Array;
  roundPoints: Float64Array;
}

export interface RosterState {
  accountIds: string[];
  sides: Uint8Array;
}

export interface RoundState {
  readonly round: number;
  readonly suddenDeath: boolean;
  readonly startedAtUs: number;
  endedAtUs: number;
  reconciledAtUs: number;
  scoreCount: number;
  logSidePoints: SideNumbers;
  logSideTotals: SideNumbers;
  logSequence: number;
  readSidePoints: SideNumbers;
  readSideTotals: SideNumbers;
  readSequence: number;
  notCompared: string;
}

export interface RewardState {
  readonly member: number;
  readonly accountId: string;
  readonly side: number;
  readonly amountMinor: bigint;
  state: 'OUTSTANDING' | 'PAID' | 'RETURNED';
  reason: string;
  readonly owedAtUs: number;
  settledAtUs: number;
}

export interface SubmissionState {
  readonly requestId: string;
  readonly accountId: string;
  readonly points: number;
  readonly scoredAtUs: number;
  state: 'SUBMITTED' | 'RECORDED' | 'REFUSED';
  reason: string;
  round: number;
  readonly submittedAtUs: number;
  endedAtUs: number;
}

/** Numbers that a row has joined by commas. */
export function numbersOf(text: Row[string] | undefined): number[] {
  return text === '' || text === undefined ? [] : String(text).split(',').map(Number);
}

export function contestStateOf(row: Row): ContestState {
  return {
    title: row.title as string,
    phase: row.phase as string,
    rules: row.rules as Uint8Array,
    sideIds: JSON.parse(row.side_ids as string) as string[],
    sideMemberCounts: numbersOf(row.side_member_counts),
    sidePoints: numbersOf(row.side_points),
    sideRoundPoints: numbersOf(row.side_round_points),
    roundsWon: numbersOf(row.rounds_won),
    round: row.round as number,
    roundEndsAtUs: row.round_ends_at_us as number,
    suddenDeathSides: numbersOf(row.sudden_death_sides),
    winners: numbersOf(row.winners),
    scoreCount: row.score_count as number,
    createdAtUs: row.created_at_us as number,
    startedAtUs: row.started_at_us as number,
    endedAtUs: row.ended_at_us as number,
    note: row.note as string,
    fundState: row.fund_state as ContestState['fundState'],
    fundAmountMinor: row.fund_amount_minor as bigint,
    paidMinor: row.paid_minor as bigint,
    returnedMinor: row.returned_minor as bigint,
    fundReason: row.fund_reason as string,
    standingsSequence: row.standings_sequence as number,
  };
}

export function contestFields(state: ContestState): Row {
  return {
    title: state.title,
    phase: state.phase,
    rules: state.rules,
    side_ids: JSON.stringify(state.sideIds),
    side_member_counts: state.sideMemberCounts.join(),
    side_points: state.sidePoints.join(),
    side_round_points: state.sideRoundPoints.join(),
    rounds_won: state.roundsWon.join(),
    round: state.round,
    round_ends_at_us: state.roundEndsAtUs,
    sudden_death_sides: state.suddenDeathSides.join(),
    winners: state.winners.join(),
    score_count: state.scoreCount,
    created_at_us: state.createdAtUs,
    started_at_us: state.startedAtUs,
    ended_at_us: state.endedAtUs,
    note: state.note,
    fund_state: state.fundState,
    fund_amount_minor: state.fundAmountMinor,
    paid_minor: state.paidMinor,
    returned_minor: state.returnedMinor,
    fund_reason: state.fundReason,
    standings_sequence: state.standingsSequence,
  };
}

export function standingsStateOf(row: Row): StandingsState {
  return { points: doublesOf(row.points as Uint8Array), roundPoints: doublesOf(row.round_points as Uint8Array) };
}

export function standingsFields({ points, roundPoints }: StandingsState): Row {
  return { points: bytesOf(points), round_points: bytesOf(roundPoints) };
}

export function rosterStateOf(row: Row): RosterState {
  return { accountIds: JSON.parse(row.account_ids as string) as string[], sides: Uint8Array.from(row.sides as Uint8Array) };
}

export function rosterFields({ accountIds, sides }: RosterState): Row {
  return { account_ids: JSON.stringify(accountIds), sides };
}

export function roundStateOf(row: Row): RoundState {
  return {
    round: row.round as number,
    suddenDeath: row.sudden_death as boolean,
    startedAtUs: row.started_at_us as number,
    endedAtUs: row.ended_at_us as number,
    reconciledAtUs: row.reconciled_at_us as number,
    scoreCount: row.score_count as number,
    logSidePoints: numbersOf(row.log_side_points),
    logSideTotals: numbersOf(row.log_side_totals),
    logSequence: row.log_sequence as number,
    readSidePoints: numbersOf(row.read_side_points),
    readSideTotals: numbersOf(row.read_side_totals),
    readSequence: row.read_sequence as number,
    notCompared: row.not_compared as string,
  };
}

export function roundFields(state: RoundState): Row {
  return {
    round: state.round,
    sudden_death: state.suddenDeath,
    started_at_us: state.startedAtUs,
    ended_at_us: state.endedAtUs,
    reconciled_at_us: state.reconciledAtUs,
    score_count: state.scoreCount,
    log_side_points: state.logSidePoints.join(),
    log_side_totals: state.logSideTotals.join(),
    log_sequence: state.logSequence,
    read_side_points: state.readSidePoints.join(),
    read_side_totals: state.readSideTotals.join(),
    read_sequence: state.readSequence,
    not_compared: state.notCompared,
  };
}

export function rewardStateOf(row: Row): RewardState {
  return {
    member: row.member as number,
    accountId: row.account_id as string,
    side: row.side as number,
    amountMinor: row.amount_minor as bigint,
    state: row.state as RewardState['state'],
    reason: row.reason as string,
    owedAtUs: row.owed_at_us as number,
    settledAtUs: row.settled_at_us as number,
  };
}

export function rewardFields(state: RewardState): Row {
  return {
    member: state.member,
    account_id: state.accountId,
    side: state.side,
    amount_minor: state.amountMinor,
    state: state.state,
    reason: state.reason,
    owed_at_us: state.owedAtUs,
    settled_at_us: state.settledAtUs,
  };
}

export function submissionStateOf(row: Row): SubmissionState {
  return {
    requestId: row.request_id as string,
    accountId: row.account_id as string,
    points: row.points as number,
    scoredAtUs: row.scored_at_us as number,
    state: row.state as SubmissionState['state'],
    reason: row.reason as string,
    round: row.round as number,
    submittedAtUs: row.submitted_at_us as number,
    endedAtUs: row.ended_at_us as number,
  };
}

export function submissionFields(state: SubmissionState): Row {
  return {
    request_id: state.requestId,
    account_id: state.accountId,
    points: state.points,
    scored_at_us: state.scoredAtUs,
    state: state.state,
    reason: state.reason,
    round: state.round,
    submitted_at_us: state.submittedAtUs,
    ended_at_us: state.endedAtUs,
  };
}

/** Little endian, as every machine that runs Node has them. The copy is aligned. */
function doublesOf(bytes: Uint8Array): Float64Array {
  return new Float64Array(Uint8Array.from(bytes).buffer);
}

function bytesOf({ buffer, byteOffset, byteLength }: Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
