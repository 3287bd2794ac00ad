/** When a schedule runs: its cron expression or interval in its time zone, by the library croner. */
import { usFromTimestamp } from '@sluice/protocol';
import type { taskpb } from '@sluice/protocol/task';
import { refusal } from '@sluice/service';
import { Cron } from 'croner';
import { LATEST_START_US, MINIMUM_INTERVAL_MS, NEXT_RUNS } from './limits';

/** Runs that are looked for at most when a schedule was not served for long. */
const MAXIMUM_RUNS = 1_001;

/** Throws SCHEDULE_INVALID; SCHEDULE_NEVER_RUNS where the library cannot even look for a run. */
export function checkTimes(spec: taskpb.ScheduleSpec): void {
  const { cron, intervalMs } = spec;
  if ((cron === '') === (intervalMs === 0)) throw refusal('SCHEDULE_INVALID', 'exactly one of cron and interval_ms must be set');
  if (intervalMs !== 0 && intervalMs < MINIMUM_INTERVAL_MS) throw refusal('SCHEDULE_INVALID', `interval_ms is below ${MINIMUM_INTERVAL_MS}`);
  if (cron === '') return;
  const fields = cron.trim().split(/\s+/).length;
  if (!cron.startsWith('@') && (fields < 5 || fields > 6)) throw refusal('SCHEDULE_INVALID', 'a cron expression has five fields, or six with seconds');
  try {
    cronOf(spec).nextRun(new Date(0));
  } catch (error) {
    // The library names itself in its errors. Another one: it looked for a day that no year has by calls of itself, until the stack was full.
    if (error instanceof RangeError && !error.message.startsWith('Cron')) throw refusal('SCHEDULE_NEVER_RUNS');
    throw refusal('SCHEDULE_INVALID', error instanceof Error ? error.message : String(error));
  }
}

/** Reading an expression and its time zone costs more than many of its runs. */
const crons = new WeakMap<taskpb.ScheduleSpec, Cron>();

function cronOf(spec: taskpb.ScheduleSpec): Cron {
  let cron = crons.get(spec);
  if (cron === undefined) {
    cron = new Cron(spec.cron, { timezone: spec.timeZone === '' ? 'UTC' : spec.timeZone, paused: true });
    crons.set(spec, cron);
  }
  return cron;
}

/** The runs after a time, the earliest first, as many as are known ahead; microseconds. @param anchorUs from which intervals are counted. */
export function runsAfter(spec: taskpb.ScheduleSpec, afterUs: number, anchorUs: number): number[] {
  return [...runs(spec, afterUs, anchorUs, NEXT_RUNS)];
}

/** What is due by now, and what comes next. */
export interface DueRuns {
  /** The oldest first; the newest thousand at most. */
  readonly dueUs: readonly number[];
  /** Further ones that were due before these; where they are many, about so many. */
  readonly left: number;
  readonly nextUs: readonly number[];
  /** How many runs were computed: what is known ahead costs nothing. */
  readonly computed: number;
}

/** @param knownUs the runs that are known ahead; at least the first one is due. */
export function dueRuns(spec: taskpb.ScheduleSpec, knownUs: readonly number[], nowUs: number): DueRuns {
  const anchorUs = knownUs[0] as number;
  const known = knownUs.filter((runUs) => runUs <= nowUs);
  const ahead = knownUs.slice(known.length);
  const further = ahead.length > 0 ? [] : dueOf(runs(spec, known.at(-1) as number, anchorUs, MAXIMUM_RUNS - known.length), nowUs);
  const first = [...known, ...further];
  const { dueUs, left, computed } = first.length < MAXIMUM_RUNS ? { dueUs: first, left: 0, computed: 0 } : newestRuns(spec, first, nowUs);
  const nextUs = [...ahead, ...runs(spec, ahead.at(-1) ?? nowUs, anchorUs, NEXT_RUNS - ahead.length)];
  return { dueUs, left, nextUs, computed: computed + further.length + nextUs.length - ahead.length };
}

/** A schedule of seconds that was not served for a year: the newest runs are looked for from near the end. @param first as many as are looked for. */
function newestRuns(spec: taskpb.ScheduleSpec, first: readonly number[], nowUs: number): Omit<DueRuns, 'nextUs'> {
  const anchorUs = first[0] as number;
  const gapUs = ((first.at(-1) as number) - anchorUs) / (MAXIMUM_RUNS - 1);
  const fromUs = Math.max(anchorUs, nowUs - gapUs * MAXIMUM_RUNS);
  const found = dueOf(runs(spec, fromUs, anchorUs, 2 * MAXIMUM_RUNS), nowUs);
  const dueUs = found.slice(1 - MAXIMUM_RUNS);
  return { dueUs, left: Math.round(((dueUs[0] ?? nowUs) - anchorUs) / gapUs), computed: found.length };
}

function dueOf(ascending: Iterable<number>, nowUs: number): number[] {
  const due: number[] = [];
  for (const runUs of ascending) {
    if (runUs > nowUs) break;
    due.push(runUs);
  }
  return due;
}

function* runs(spec: taskpb.ScheduleSpec, afterUs: number, anchorUs: number, count: number): Generator<number> {
  if (count === 0) return;
  const beginUs = spec.beginAt === undefined ? 0 : Number(usFromTimestamp(spec.beginAt));
  const endUs = Math.min(LATEST_START_US, spec.endAt === undefined ? Number.POSITIVE_INFINITY : Number(usFromTimestamp(spec.endAt)));
  const fromUs = Math.max(afterUs, beginUs - 1);
  let made = 0;
  for (const runUs of spec.cron === '' ? intervalRuns(spec, fromUs, beginUs || anchorUs) : cronRuns(spec, fromUs)) {
    if (runUs >= endUs) return;
    yield runUs;
    made += 1;
    if (made === count) return;
  }
}

function* intervalRuns({ intervalMs }: taskpb.ScheduleSpec, afterUs: number, anchorUs: number): Generator<number> {
  const stepUs = intervalMs * 1_000;
  for (let step = Math.max(0, Math.floor((afterUs - anchorUs) / stepUs) + 1); ; step += 1) yield anchorUs + step * stepUs;
}

function* cronRuns(spec: taskpb.ScheduleSpec, afterUs: number): Generator<number> {
  const times = cronOf(spec);
  for (let run = times.nextRun(new Date(Math.floor(afterUs / 1_000))); run !== null; run = times.nextRun(run)) yield run.getTime() * 1_000;
}
