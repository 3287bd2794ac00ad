/** When a schedule runs: its cron expression or interval in its time zone, by the library croner. */
import { usFromTimestamp } from '@sluice/protocol';
import type { taskpb } from '@sluice/protocol/task';
import { refusal } from '@sluice/service';
import { Cron } from 'croner';
import { MINIMUM_INTERVAL_MS, NEXT_RUNS } from './limits';

/** Runs that are looked for at most when a schedule was not served for long. */
const MAXIMUM_RUNS = 1_001;

/** Throws SCHEDULE_INVALID. */
export function checkTimes({ cron, intervalMs, timeZone }: taskpb.ScheduleSpec): void {
  if ((cron === '') === (intervalMs === 0)) throw refusal('SCHEDULE_INVALID', 'exactly one of cron and interval_ms must be set');
  if (intervalMs !== 0 && intervalMs < MINIMUM_INTERVAL_MS) throw refusal('SCHEDULE_INVALID', `interval_ms is below ${MINIMUM_INTERVAL_MS}`);
  if (cron === '') return;
  const fields = cron.trim().split(/\s+/).length;
  if (!cron.startsWith('@') && (fields < 5 || fields > 6)) throw refusal('SCHEDULE_INVALID', 'a cron expression has five fields, or six with seconds');
  try {
    cronOf(cron, timeZone).nextRun(new Date(0));
  } catch (error) {
    throw refusal('SCHEDULE_INVALID', error instanceof Error ? error.message : String(error));
  }
}

function cronOf(cron: string, timeZone: string): Cron {
  return new Cron(cron, { timezone: timeZone === '' ? 'UTC' : timeZone, paused: true });
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
}

/** @param knownUs the runs that are known ahead; at least the first one is due. */
export function dueRuns(spec: taskpb.ScheduleSpec, knownUs: readonly number[], nowUs: number): DueRuns {
  const anchorUs = knownUs[0] as number;
  const nextUs = runsAfter(spec, nowUs, anchorUs);
  const first = [...runs(spec, anchorUs - 1, anchorUs, MAXIMUM_RUNS)];
  const due = first.filter((runUs) => runUs <= nowUs);
  if (due.length < MAXIMUM_RUNS) return { dueUs: due, left: 0, nextUs };
  // A schedule of seconds that was not served for a year: the newest runs are looked for from near the end.
  const gapUs = ((first.at(-1) as number) - anchorUs) / (MAXIMUM_RUNS - 1);
  const fromUs = Math.max(anchorUs, nowUs - gapUs * MAXIMUM_RUNS);
  const newest = [...runs(spec, fromUs, anchorUs, 2 * MAXIMUM_RUNS)].filter((runUs) => runUs <= nowUs).slice(1 - MAXIMUM_RUNS);
  const oldestUs = newest[0] ?? nowUs;
  return { dueUs: newest, left: Math.round((oldestUs - anchorUs) / gapUs), nextUs };
}

function* runs(spec: taskpb.ScheduleSpec, afterUs: number, anchorUs: number, count: number): Generator<number> {
  const beginUs = spec.beginAt === undefined ? 0 : Number(usFromTimestamp(spec.beginAt));
  const endUs = spec.endAt === undefined ? Number.POSITIVE_INFINITY : Number(usFromTimestamp(spec.endAt));
  const fromUs = Math.max(afterUs, beginUs - 1);
  let made = 0;
  for (const runUs of spec.cron === '' ? intervalRuns(spec, fromUs, beginUs || anchorUs) : cronRuns(spec, fromUs)) {
    if (runUs >= endUs || made === count) return;
    made += 1;
    yield runUs;
  }
}

function* intervalRuns({ intervalMs }: taskpb.ScheduleSpec, afterUs: number, anchorUs: number): Generator<number> {
  const stepUs = intervalMs * 1_000;
  for (let step = Math.max(0, Math.floor((afterUs - anchorUs) / stepUs) + 1); ; step += 1) yield anchorUs + step * stepUs;
}

function* cronRuns({ cron, timeZone }: taskpb.ScheduleSpec, afterUs: number): Generator<number> {
  const times = cronOf(cron, timeZone);
  for (let run = times.nextRun(new Date(Math.floor(afterUs / 1_000))); run !== null; run = times.nextRun(run)) yield run.getTime() * 1_000;
}
