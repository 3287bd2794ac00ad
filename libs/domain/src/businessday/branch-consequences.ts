/** What a branch asks of others behind a decision, and which timers it sets: found by comparing the branch before and behind it. */
import type { CalendarDate, RollPolicy } from '../day';
import { cutMomentMs, nextBusinessDate } from './branch-calendar';
import type { AskedAgain, Branch, BranchEvent } from './branch';
import { stepOfRun, type PartitionProgress, type Run } from './branch-run';
import { bearsInterest, hasTerm, type ProductTerms } from './product';

const US_PER_MS = 1_000;

/** A chunk of a step. */
export interface AskedChunk {
  readonly partition: number;
  readonly date: CalendarDate;
  readonly nextDate: CalendarDate;
  readonly from: bigint;
  readonly limit: number;
  readonly terms: readonly ProductTerms[];
}

export interface AskedDates {
  readonly partition: number;
  readonly onlineDate: CalendarDate;
  readonly closedDate: CalendarDate;
  readonly nextDate: CalendarDate;
  readonly rollPolicy: RollPolicy;
  readonly byHand: boolean;
  /** The run that cuts the day; undefined: the dates were registered or set by hand. */
  readonly runDate: CalendarDate | undefined;
}

/** What a branch asks of the accounts of a partition, or of the catalogue. */
export type BranchAsk =
  | ({ readonly kind: 'setDates' } & AskedDates)
  | { readonly kind: 'countOutstanding' | 'seal'; readonly partition: number; readonly date: CalendarDate }
  | ({ readonly kind: 'roll' | 'mature' | 'accrue' | 'total' } & AskedChunk)
  | { readonly kind: 'takeTerms'; readonly date: CalendarDate };

export type BranchTimer =
  | { readonly kind: 'cut'; readonly date: CalendarDate; readonly dueAtUs: number }
  | { readonly kind: 'noCut' }
  | { readonly kind: 'askAgain'; readonly again: AskedAgain; readonly dueAtUs: number };

export interface BranchConsequences {
  readonly events: readonly BranchEvent[];
  readonly asks: readonly BranchAsk[];
  readonly timers: readonly BranchTimer[];
}

export function consequencesOf(before: Branch, behind: Branch, events: readonly BranchEvent[]): BranchConsequences {
  return { events, asks: asksBehind(before, behind, events), timers: cutTimers(before, behind) };
}

// ---- what is asked ----

function asksBehind(before: Branch, { run, ...behind }: Branch, events: readonly BranchEvent[]): BranchAsk[] {
  const asks: BranchAsk[] = [];
  if (events.some(({ kind }) => kind === 'registered' || kind === 'datesSet')) asks.push(datesWithoutRun({ run, ...behind }, 0));
  if (run === undefined) return asks;
  if (events.some(({ kind }) => kind === 'runBegun')) asks.push({ kind: 'takeTerms', date: run.date });
  for (const [partition, progress] of run.partitions?.entries() ?? []) {
    if (progress === before.run?.partitions?.[partition] && run.step === before.run.step && run.date === before.run.date) continue;
    const ask = askOfStep(run, partition, progress);
    if (ask !== undefined) asks.push(ask);
  }
  return asks;
}

/** Dates that were registered or set by hand go from partition to partition, one after the other. */
export function datesWithoutRun({ settings, onlineDate, closedDate, byHand }: Branch, partition: number): BranchAsk {
  if (settings === undefined) throw new Error('a branch that is not registered has no dates');
  const { calendar, rollPolicy } = settings;
  const nextDate = nextBusinessDate(calendar, onlineDate) ?? onlineDate + 1;
  return { kind: 'setDates', partition, onlineDate, closedDate, nextDate, rollPolicy, byHand, runDate: undefined };
}

/** What the run asks of the partition that stands there; undefined: nothing. */
export function askOfStep(run: Run, partition: number, { state, from }: PartitionProgress): BranchAsk | undefined {
  const { date, nextDate, settings } = run;
  if (state === 'SEALING') return { kind: 'seal', partition, date };
  if (state !== 'ASKED') return undefined;
  const { kind, job } = stepOfRun(run);
  const chunk = { partition, date, nextDate, from, limit: settings.stepAccounts, terms: [] };
  switch (kind) {
    case 'CUT': {
      const { calendar, rollPolicy } = settings;
      const dates = { onlineDate: nextDate, closedDate: date, nextDate: nextBusinessDate(calendar, nextDate) ?? nextDate + 1 };
      return { kind: 'setDates', partition, ...dates, rollPolicy, byHand: false, runDate: date };
    }
    case 'SEAL':
      return { kind: 'countOutstanding', partition, date };
    case 'ROLL':
      return { kind: 'roll', ...chunk };
    case 'STAGE_ONE':
    case 'JOB':
      return askOfJob(job, run.terms ?? [], chunk);
    case 'BEGIN':
      return undefined;
    default:
      return kind satisfies never;
  }
}

function askOfJob(job: Run['steps'][number]['job'], terms: readonly ProductTerms[], chunk: AskedChunk): BranchAsk | undefined {
  switch (job) {
    case 'MATURITY':
      return { kind: 'mature', ...chunk, terms: terms.filter(hasTerm) };
    case 'INTEREST':
      return { kind: 'accrue', ...chunk, terms: terms.filter(bearsInterest) };
    case 'ACCOUNTING':
      return { kind: 'total', ...chunk };
    case 'REPORTS':
    case undefined:
      return undefined;
    default:
      return job satisfies never;
  }
}

// ---- timers ----

/** Undefined: on command only. */
export function cutTimerOf({ settings, cutTime, batchDate }: Branch): Extract<BranchTimer, { kind: 'cut' }> | undefined {
  if (settings?.automatic !== true) return undefined;
  return { kind: 'cut', date: batchDate, dueAtUs: cutMomentMs(cutTime, batchDate) * US_PER_MS };
}

function cutTimers(before: Branch, behind: Branch): BranchTimer[] {
  const wasAutomatic = before.settings?.automatic === true;
  const timer = cutTimerOf(behind);
  if (timer === undefined) return wasAutomatic ? [{ kind: 'noCut' }] : [];
  return wasAutomatic && before.batchDate === behind.batchDate && before.cutTime === behind.cutTime ? [] : [timer];
}
