/** Contests as users of the library see them. Points are whole numbers up to 2^53 − 1. */
import type { SluiceError } from '../sluice-error';

/** What a score does to the points that a member has in the round. */
export const SCORE_OPERATORS = ['INCREMENT', 'BEST', 'LATEST'] as const;
export type ScoreOperator = (typeof SCORE_OPERATORS)[number];

/** By what a contest is won. */
export const WINNER_RULES = ['CUMULATIVE', 'ROUND'] as const;
export type WinnerRule = (typeof WINNER_RULES)[number];

/** What happens when several sides are first. */
export const TIE_RULES = ['NONE', 'SPLIT', 'SHARED', 'SUDDEN_DEATH'] as const;
export type TieRule = (typeof TIE_RULES)[number];

/** Rules of a contest; they never change. What is left out has its default. */
export interface ContestRules {
  /** Regular rounds; 1 to 100. Default 1. */
  readonly rounds?: number | undefined;
  /** How long a round takes. Default: until it is ended by a request. */
  readonly roundDurationMs?: number | undefined;
  /** Members may join before this time. Default: never. */
  readonly joinUntil?: Date | undefined;
  /** Members that every side needs at the start. Default 1. */
  readonly minimumMembersPerSide?: number | undefined;
  /** Default 20,000, as many as a contest may have. */
  readonly maximumMembersPerSide?: number | undefined;
  readonly maximumPointsPerScore?: number | undefined;
  /** Default: no limit. */
  readonly maximumPointsPerMemberAndRound?: number | undefined;
  /** Default INCREMENT. */
  readonly operator?: ScoreOperator | undefined;
  /** Default CUMULATIVE. */
  readonly winnerRule?: WinnerRule | undefined;
  /** Default NONE. */
  readonly tieRule?: TieRule | undefined;
  /** How long the reconciliation of a round waits before it sums the log. Default 0. */
  readonly reconcileWaitMs?: number | undefined;
  /** What the winners get. Default: nothing. */
  readonly reward?: ContestReward | undefined;
}

/** FIXED: every member of the winning side gets the amount. POT: they share it. CONTRIBUTION: they share it by their points. */
export const REWARD_KINDS = ['FIXED', 'POT', 'CONTRIBUTION'] as const;
export type RewardKind = (typeof REWARD_KINDS)[number];

export interface ContestReward {
  /** The account that pays. The largest payout is taken from it at the start. */
  readonly fundAccountId: string;
  readonly unit: string;
  /** Default FIXED. */
  readonly kind?: RewardKind | undefined;
  readonly amountMinor: bigint;
}

export interface SideInput {
  /** Unique in the contest; 1 to 64 bytes. */
  readonly sideId: string;
  /** Accounts of its members; each is of one side only. */
  readonly accountIds: readonly string[];
}

export interface ContestInput {
  readonly contestId: string;
  /** 2 to 64 of them. */
  readonly sides: readonly SideInput[];
  readonly rules?: ContestRules | undefined;
  readonly title?: string | undefined;
  /** The caller's id of this request; made when not given. */
  readonly requestId?: string | undefined;
}

/** What every reply to a command has. */
interface Reply {
  /** True: this request was answered before, and this is the first answer again. */
  readonly repeated: boolean;
  /** Covers this command; a query that carries it answers from data at least this new. */
  readonly positionToken: string;
}

export interface ContestCreated extends Reply {
  readonly memberCount: number;
}

export interface MembersJoined extends Reply {
  /** Members of the side from now on. */
  readonly memberCount: number;
}

export interface ContestStarted extends Reply {
  /** STARTING: the fund is asked for the largest payout; RUNNING: the first round runs. */
  readonly phase: 'STARTING' | 'RUNNING';
  /** When the first round ends; undefined: by a request, or the contest is STARTING. */
  readonly roundEndsAt: Date | undefined;
}

export interface SidePoints {
  readonly sideId: string;
  readonly points: number;
}

export interface RoundEnded extends Reply {
  readonly sides: readonly SidePoints[];
}

export interface ScoreInput {
  readonly contestId: string;
  /** The member. */
  readonly accountId: string;
  /** 1 to 1,000,000,000,000. */
  readonly points: number;
  /** When it was scored: a Date, or microseconds since the epoch. The operator LATEST demands it. */
  readonly scoredAt?: Date | number | undefined;
  /** The caller's id of this score, unique in the contest for ever; made when not given. */
  readonly requestId?: string | undefined;
}

/** A score that was recorded. */
export interface ScoreResult extends Reply {
  readonly requestId: string;
  readonly contestId: string;
  readonly accountId: string;
  /** The round that it counts in. */
  readonly round: number;
  /** What the member has in the round after it. */
  readonly roundPoints: number;
  /** What the member has in all regular rounds after it. */
  readonly totalPoints: number;
  /** What the member's side has in the round after it. */
  readonly sideRoundPoints: number;
}

/** One score of a batch: its result, or why it was refused. */
export type ScoreOutcome =
  | { readonly requestId: string; readonly contestId: string; readonly result: ScoreResult; readonly error?: undefined }
  | { readonly requestId: string; readonly contestId: string; readonly result?: undefined; readonly error: SluiceError };

/** A score that is taken, and is recorded later by a change task. */
export interface ScoreSubmission extends Reply {
  readonly requestId: string;
  readonly contestId: string;
  /** Of the change task; `scheduler.unfinished` lists it until the score is recorded or refused. */
  readonly taskId: string;
}

/** A gift debits an account, and scores for a member. */
export interface GiftInput {
  readonly contestId: string;
  /** The member that scores. */
  readonly accountId: string;
  /** The account that is debited. */
  readonly giverAccountId: string;
  /** > 0, in minor units. */
  readonly amountMinor: bigint;
  readonly unit: string;
  /** Default: as many as the amount has minor units. */
  readonly points?: number | undefined;
  /** When it was given: a Date, or microseconds since the epoch. The operator LATEST demands it. */
  readonly scoredAt?: Date | number | undefined;
  /** The caller's id of this gift, unique in the giver's account for ever; made when not given. */
  readonly requestId?: string | undefined;
}

/** The giver is debited, and the score is on its way: the transfer of the request id at the giver's account says whether it has scored (SETTLED) or was refunded. */
export interface GiftReceipt extends Reply {
  readonly requestId: string;
  readonly giverAccountId: string;
  /** The giver's balance after the debit, in minor units. */
  readonly balanceAfterMinor: bigint;
  /** Number of the entry of the debit. */
  readonly entryNumber: bigint;
}

/** One gift of a batch: its receipt, or why it was refused. */
export type GiftOutcome =
  | { readonly requestId: string; readonly giverAccountId: string; readonly result: GiftReceipt; readonly error?: undefined }
  | { readonly requestId: string; readonly giverAccountId: string; readonly result?: undefined; readonly error: SluiceError };
