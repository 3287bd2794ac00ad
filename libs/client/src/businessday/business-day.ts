/** Branches and their dates as users of the library see them. Dates are texts, YYYY-MM-DD. */

/** A job of an end of day. */
export const DAY_JOBS = ['MATURITY', 'INTEREST', 'ACCOUNTING', 'REPORTS'] as const;
export type DayJob = (typeof DAY_JOBS)[number];

/** Which date the first posting behind a cut belongs to: the new one, or the one that it closes. */
export const ROLL_POLICIES = ['BEFORE_POSTING', 'AFTER_POSTING'] as const;
export type RollPolicy = (typeof ROLL_POLICIES)[number];

/** What a posting is booked against. */
export const CONTRA_LINES = ['CASH', 'INTER_BRANCH', 'INTEREST', 'IN_TRANSIT', 'FUNDS'] as const;
export type ContraLine = (typeof CONTRA_LINES)[number];

/** How an end of day stands. */
export const RUN_STATES = ['RUNNING', 'WAITING', 'PAUSED', 'ENDED'] as const;
export type RunState = (typeof RUN_STATES)[number];

export interface BranchSettingsInput {
  /** IANA name, like Europe/Prague. */
  readonly timeZone: string;
  /** Weekdays without business, 1: Monday, to 7: Sunday. Default: none. */
  readonly restDays?: readonly number[] | undefined;
  /** Single dates without business. Default: none. */
  readonly holidays?: readonly string[] | undefined;
  /** When the day is cut, in minutes since midnight by the clocks of the time zone. Default 0: at the midnight that ends the date. */
  readonly cutMinutes?: number | undefined;
  /** Whether the end of day runs by itself at the cut time. Default: on command only. */
  readonly automatic?: boolean | undefined;
  /** Default: BEFORE_POSTING. */
  readonly rollPolicy?: RollPolicy | undefined;
  /** Jobs before the cut, on real-time balances: MATURITY or nothing. Default: nothing. */
  readonly stageOneJobs?: readonly DayJob[] | undefined;
  /** Jobs of the closed date, in this order. Default: MATURITY, INTEREST, ACCOUNTING, REPORTS. */
  readonly jobs?: readonly DayJob[] | undefined;
  /** How long an end of day waits for transfers of the closed date that are on their way, in milliseconds. Default 10,000. */
  readonly waitMs?: number | undefined;
  /** Accounts that a step looks at. Default 2,000. */
  readonly stepAccounts?: number | undefined;
  /** Names of contra lines in reports. */
  readonly lineNames?: Readonly<Partial<Record<ContraLine, string>>> | undefined;
}

/** Settings of a branch, with the defaults of what was left out. */
export interface BranchSettings {
  readonly timeZone: string;
  readonly restDays: readonly number[];
  readonly holidays: readonly string[];
  readonly cutMinutes: number;
  readonly automatic: boolean;
  readonly rollPolicy: RollPolicy | undefined;
  readonly stageOneJobs: readonly DayJob[];
  readonly jobs: readonly DayJob[];
  readonly waitMs: number;
  readonly stepAccounts: number;
  readonly lineNames: Readonly<Partial<Record<ContraLine, string>>>;
}

export interface BranchDates {
  readonly branchId: string;
  /** Date of postings that are initiated now. */
  readonly onlineDate: string;
  /** Date that is, or will be, closed next: behind the online date while its end of day is on the way. */
  readonly batchDate: string;
  /** The run that moved the online date last; empty: registered, or set by hand. */
  readonly onlineRunId: string;
  /** The run that moved the batch date last; empty: registered, or set by hand. */
  readonly batchRunId: string;
  /** The run under way; empty: none. */
  readonly runId: string;
  /** Undefined: no run is under way. */
  readonly runState: RunState | undefined;
  /** When the day will be cut by itself; undefined: on command only. */
  readonly nextCutAt: Date | undefined;
  /** Rises with every change of the branch. */
  readonly version: bigint;
}

export interface BusinessDay extends BranchDates {
  readonly settings: BranchSettings;
}

export interface BranchInput {
  /** As accounts name it. */
  readonly branchId: string;
  readonly settings: BranchSettingsInput;
  /** The first online date and batch date, a business date. Default: today in its time zone, or the next business date. */
  readonly onlineDate?: string | undefined;
  /** The caller's id of this request, unique in the branch for ever; made when not given. */
  readonly requestId?: string | undefined;
}

export interface DayRequest {
  /** The date that the request is about. Default: the one in force. A repeat with a date never closes another day. */
  readonly date?: string | undefined;
  /** The caller's id of this request, unique in the branch for ever; made when not given. */
  readonly requestId?: string | undefined;
}

export interface BeginRequest extends DayRequest {
  /** Why the day begins although accounts were set aside or steps are missing. Default: it does not begin then. */
  readonly forcedReason?: string | undefined;
}

export interface EndOfDayRequest {
  /** The last date to be closed: missed days before it are closed one after the other. Default: the online date. */
  readonly untilDate?: string | undefined;
  /** The caller's id of this request, unique in the branch for ever; made when not given. */
  readonly requestId?: string | undefined;
}

export interface DatesRequest {
  /** Online date and batch date from now on, a business date. */
  readonly date: string;
  /** Why, as it is recorded. */
  readonly reason: string;
  /** The caller's id of this request, unique in the branch for ever; made when not given. */
  readonly requestId?: string | undefined;
}

/** The dates of a branch right after a command. */
export interface BranchChanged {
  readonly requestId: string;
  readonly day: BranchDates;
  /** True: this request was answered before, and this is the first answer again. */
  readonly repeated: boolean;
  /** Covers this command; a query that carries it answers from data at least this new. */
  readonly positionToken: string;
}
