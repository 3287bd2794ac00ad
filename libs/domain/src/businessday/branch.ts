/**
 * A branch with business dates: the aggregate behind its end of day.
 *
 *   online date   batch date   run of T
 *   T             T            none, or its jobs of stage one are being done
 *   T+1           T            CUT … JOB: the day is cut, and T is being closed
 *   T+1           T+1          ended
 */
import type { CalendarDate } from '../day';
import type { BranchCalendar } from './branch-calendar';
import type { BranchSettings, PlannedStep, RunGoal } from './branch-settings';
import type { Run } from './branch-run';
import type { ProductTerms } from './product';

export interface BranchDates {
  readonly onlineDate: CalendarDate;
  /** The business date before it. */
  readonly closedDate: CalendarDate;
  readonly batchDate: CalendarDate;
}

/** When a day is cut by itself. */
export type CutTime = Pick<BranchCalendar, 'timeZone' | 'cutMinutes'>;

export interface Branch extends BranchDates {
  readonly branchId: string;
  /** Undefined: the branch is not registered. */
  readonly settings: BranchSettings | undefined;
  /** Every partition has the online date. */
  readonly inForce: boolean;
  /** The dates were set by hand last, not registered. */
  readonly byHand: boolean;
  /** Of the batch date: a change of the settings holds from the next date on. */
  readonly cutTime: CutTime;
  /** Dates of the runs that moved the online date and the batch date last; undefined: registered, or set by hand. */
  readonly onlineRun: CalendarDate | undefined;
  readonly batchRun: CalendarDate | undefined;
  /** Events of the branch so far. */
  readonly version: number;
  /** Undefined: none is under way. */
  readonly run: Run | undefined;
}

export function newBranch(branchId: string): Branch {
  return {
    branchId,
    settings: undefined,
    onlineDate: 0,
    closedDate: 0,
    batchDate: 0,
    inForce: false,
    byHand: false,
    cutTime: { timeZone: 'UTC', cutMinutes: 0 },
    onlineRun: undefined,
    batchRun: undefined,
    version: 0,
    run: undefined,
  };
}

export type BranchCommand =
  /** Without a date: today in the time zone, or the next business date. */
  | { readonly kind: 'register'; readonly settings: BranchSettings; readonly onlineDate: CalendarDate | undefined }
  | { readonly kind: 'update'; readonly settings: BranchSettings }
  | { readonly kind: 'cut' | 'runBatch'; readonly date: CalendarDate | undefined }
  /** @property forcedReason undefined: not forced. */
  | { readonly kind: 'begin'; readonly date: CalendarDate | undefined; readonly forcedReason: string | undefined }
  | { readonly kind: 'endOfDay'; readonly untilDate: CalendarDate | undefined }
  | { readonly kind: 'setDates'; readonly date: CalendarDate; readonly reason: string }
  | { readonly kind: 'pause' | 'resume' }
  /** A timer: the date is to be cut by itself. */
  | { readonly kind: 'cutDue'; readonly date: CalendarDate }
  /** A timer: a partition is asked once more. */
  | { readonly kind: 'askAgain'; readonly again: AskedAgain };

/** What is asked once more, if it is still open then. */
export type AskedAgain =
  | { readonly what: 'step'; readonly date: CalendarDate; readonly step: number; readonly partition: number }
  /** The dates that were registered or set by hand. */
  | { readonly what: 'dates'; readonly date: CalendarDate; readonly partition: number }
  | { readonly what: 'terms'; readonly date: CalendarDate };

/** A sum over accounts of one product and unit, as accounts tell it (protos/sluice/log/v1/days.proto). */
export interface DayTotal {
  product: string;
  unit: string;
  line: number;
  debitMinor: string;
  creditMinor: string;
  balanceMinor: string;
  count: bigint;
  accruedMicro: string;
}

/** What a chunk of a step did in a partition. */
export interface StepDone {
  next: bigint;
  complete: boolean;
  accounts: bigint;
  lookedAt: bigint;
  changed: bigint;
  totals: DayTotal[];
  setAside: { accountId: string; reason: string }[];
}

export type BranchEvent =
  | { readonly kind: 'registered'; readonly settings: BranchSettings; readonly date: CalendarDate; readonly closedDate: CalendarDate }
  | { readonly kind: 'updated'; readonly settings: BranchSettings }
  | { readonly kind: 'datesSet'; readonly date: CalendarDate; readonly closedDate: CalendarDate; readonly reason: string }
  | { readonly kind: 'datesInForce'; readonly onlineDate: CalendarDate }
  | {
      readonly kind: 'runBegun';
      readonly date: CalendarDate;
      readonly nextDate: CalendarDate;
      readonly goal: RunGoal;
      readonly untilDate: CalendarDate;
      readonly steps: readonly PlannedStep[];
    }
  | { readonly kind: 'goalRaised'; readonly date: CalendarDate; readonly goal: RunGoal; readonly untilDate: CalendarDate }
  | { readonly kind: 'termsTaken'; readonly date: CalendarDate; readonly terms: readonly ProductTerms[] }
  | { readonly kind: 'stepBegun'; readonly date: CalendarDate; readonly step: number }
  | {
      readonly kind: 'stepAdvanced';
      readonly date: CalendarDate;
      readonly step: number;
      readonly partition: number;
      readonly done: StepDone;
      /** SEAL: transfers of the date that are on their way from the partition, and are not waited for any longer. */
      readonly outstanding: bigint;
    }
  | { readonly kind: 'stepEnded'; readonly date: CalendarDate; readonly step: number; readonly stragglers: bigint }
  | { readonly kind: 'onlineDateMoved'; readonly date: CalendarDate; readonly step: number; readonly onlineDate: CalendarDate }
  | {
      readonly kind: 'batchDateMoved';
      readonly date: CalendarDate;
      readonly step: number;
      readonly batchDate: CalendarDate;
      /** Empty: it was not forced. */
      readonly forcedReason: string;
    }
  | { readonly kind: 'paused' | 'resumed'; readonly date: CalendarDate };
