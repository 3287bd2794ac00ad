/** How contests stand, as users of the library see it. Points are whole numbers up to 2^53 − 1. */
import type { ContestRules, SidePoints } from './contest';

export const CONTEST_PHASES = ['CREATED', 'STARTING', 'RUNNING', 'RECONCILING', 'REWARDING', 'ENDED', 'CANCELLED'] as const;
export type ContestPhase = (typeof CONTEST_PHASES)[number];

type Unlimited = 'roundDurationMs' | 'joinUntil' | 'maximumPointsPerMemberAndRound' | 'reward';

/** Rules with the defaults of what was left out. Undefined: see `ContestRules`. */
export type RulesInForce = Required<Omit<ContestRules, Unlimited>> & { readonly [Name in Unlimited]: ContestRules[Name] };

export interface Contest {
  readonly contestId: string;
  readonly title: string;
  readonly phase: ContestPhase;
  readonly rules: RulesInForce;
  /** In the order of the creation. */
  readonly sides: readonly SideStanding[];
  /** The round that runs or was the last one; 0: none was started. */
  readonly round: number;
  /** Undefined: by a request, or no round was started. */
  readonly roundEndsAt: Date | undefined;
  /** Sides between which the round decides; empty: it is a regular one. */
  readonly suddenDeathSideIds: readonly string[];
  /** Empty: nobody won, or not yet. */
  readonly winnerSideIds: readonly string[];
  /** Scores of all rounds. */
  readonly scoreCount: number;
  readonly createdAt: Date | undefined;
  readonly startedAt: Date | undefined;
  /** When it ended or was cancelled. */
  readonly endedAt: Date | undefined;
  /** Why it was cancelled, for people. */
  readonly note: string;
  /** Undefined: nothing was asked of a fund. */
  readonly money: ContestMoney | undefined;
  /** Of the newest commit in it. */
  readonly sequence: bigint;
}

/** How the money of a contest stands: asked of its fund, refused by it, held by the contest, or accounted for (held = paid + returned). */
export type ContestMoneyState = 'ASKED' | 'REFUSED' | 'HELD' | 'SETTLED';

export interface ContestMoney {
  readonly state: ContestMoneyState;
  /** The largest payout, in minor units. */
  readonly heldMinor: bigint;
  /** What winners got. */
  readonly paidMinor: bigint;
  /** What the fund has again; 0 until it is settled. */
  readonly returnedMinor: bigint;
  /** REFUSED: why, like "INSUFFICIENT_FUNDS"; empty otherwise. */
  readonly reason: string;
}

export const REWARD_STATES = ['OUTSTANDING', 'PAID', 'RETURNED'] as const;
export type RewardState = (typeof REWARD_STATES)[number];

/** A reward of a winner. */
export interface MemberReward {
  readonly accountId: string;
  readonly sideId: string;
  readonly amountMinor: bigint;
  readonly state: RewardState;
  /** RETURNED: why the account refused it; empty otherwise. */
  readonly reason: string;
  readonly owedAt: Date | undefined;
  /** Undefined: its account has not answered. */
  readonly settledAt: Date | undefined;
  readonly sequence: bigint;
}

export interface RewardFilter {
  readonly state?: RewardState | undefined;
}

export interface SideStanding extends SidePoints {
  readonly memberCount: number;
  /** In the round that runs or was the last one. */
  readonly roundPoints: number;
  /** Regular rounds that it won. */
  readonly roundsWon: number;
}

export interface MemberStanding {
  /** One more than there are members with more points. */
  readonly rank: number;
  readonly accountId: string;
  readonly sideId: string;
  /** In all regular rounds. */
  readonly points: number;
  /** In the round that runs or was the last one. */
  readonly roundPoints: number;
}

/** All of it is of one moment. */
export interface Standings {
  readonly contest: Contest;
  /** Those with most points first; of equal ones the one that joined first. */
  readonly members: readonly MemberStanding[];
  /** Members that are ranked. */
  readonly memberCount: number;
  /** Of the members behind these; empty: there are none. */
  readonly nextPageToken: string;
  /** Of the members before these; empty: there are none. */
  readonly previousPageToken: string;
}

export interface WatchedStandings {
  readonly contest: Contest;
  readonly members: readonly MemberStanding[];
  /** The member that was asked for. */
  readonly member: MemberStanding | undefined;
  readonly memberCount: number;
}

export interface ContestScore {
  readonly requestId: string;
  readonly accountId: string;
  readonly sideId: string;
  readonly round: number;
  readonly points: number;
  readonly scoredAt: Date | undefined;
  readonly recordedAt: Date | undefined;
  /** What the member had in the round after it. */
  readonly roundPoints: number;
  /** What the member had in all regular rounds after it. */
  readonly totalPoints: number;
  /** Undefined: it is no gift. */
  readonly gift: ScoreGift | undefined;
  readonly sequence: bigint;
}

/** What was debited for a score; its request id is that of the giver's account. */
export interface ScoreGift {
  readonly giverAccountId: string;
  readonly amountMinor: bigint;
  readonly unit: string;
}

export const SUBMITTED_SCORE_STATES = ['SUBMITTED', 'RECORDED', 'REFUSED'] as const;
export type SubmittedScoreState = (typeof SUBMITTED_SCORE_STATES)[number];

/** A submitted score with what became of it. */
export interface SubmittedScore {
  readonly requestId: string;
  readonly accountId: string;
  readonly points: number;
  readonly scoredAt: Date | undefined;
  readonly state: SubmittedScoreState;
  /** REFUSED: why, like "CONTEST_MEMBER_NOT_FOUND"; empty otherwise. */
  readonly reason: string;
  /** RECORDED: that it counts in; 0 otherwise. */
  readonly round: number;
  readonly submittedAt: Date | undefined;
  /** Undefined: its change task has not ended. */
  readonly endedAt: Date | undefined;
  readonly sequence: bigint;
}

export interface SubmittedScoreFilter {
  readonly state?: SubmittedScoreState | undefined;
  /** Only the one of this request. */
  readonly requestId?: string | undefined;
}

/** What came of the comparison of the read store with the log. */
export type ReconciliationOutcome = 'PENDING' | 'EQUAL' | 'REPLACED' | 'BEHIND' | 'NOT_COMPARED';

export interface SideReconciliation {
  readonly sideId: string;
  /** In the round, summed from the scores in the log. */
  readonly logPoints: number;
  /** In all regular rounds up to this one, by the log. */
  readonly logTotal: number;
  /** As the read store had them; undefined: it was not asked. */
  readonly readPoints: number | undefined;
  readonly readTotal: number | undefined;
}

export interface RoundReconciliation {
  readonly round: number;
  readonly suddenDeath: boolean;
  readonly startedAt: Date | undefined;
  readonly endedAt: Date | undefined;
  readonly reconciledAt: Date | undefined;
  readonly outcome: ReconciliationOutcome;
  /** Scores in the log. */
  readonly scoreCount: number;
  readonly sides: readonly SideReconciliation[];
  /** Newest commit of the contest that was summed. */
  readonly logSequence: bigint;
  /** Up to where the read store had the partition when it was asked; 0: it was not. */
  readonly readSequence: bigint;
  /** Why the read store was not asked, for people. */
  readonly notCompared: string;
}

export interface ContestFilter {
  readonly phase?: ContestPhase | undefined;
  readonly createdFrom?: Date | undefined;
  readonly createdBefore?: Date | undefined;
  readonly newestFirst?: boolean | undefined;
}

export interface StandingsFilter {
  /** Only members of this side. */
  readonly sideId?: string | undefined;
  /** The page around this member. */
  readonly accountId?: string | undefined;
}

export interface ScoreFilter {
  readonly round?: number | undefined;
  readonly accountId?: string | undefined;
  readonly newestFirst?: boolean | undefined;
}
