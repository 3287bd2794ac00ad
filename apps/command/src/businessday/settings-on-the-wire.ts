/** Settings of branches between messages and the domain. */
import { isTimeZone, JOBS, type BranchSettings, type Job, type PlannedStep } from '@sluice/domain/businessday';
import { textOfDate } from '@sluice/domain/day';
import { logpb } from '@sluice/protocol';
import type { businessdaypb } from '@sluice/protocol/businessday';
import { checkText, invalidRequest } from '@sluice/service';
import { JOB_NAMES, ROLL_POLICY_NAMES, STEP_NAMES } from './business-day-names';
import { dateAsked } from './dates-on-the-wire';

const DEFAULT_WAIT_MS = 10_000;
const MAXIMUM_WAIT_MS = 3_600_000;
const DEFAULT_STEP_ACCOUNTS = 2_000;
const MAXIMUM_STEP_ACCOUNTS = 10_000;
const MAXIMUM_HOLIDAYS = 1_000;
const DAYS_OF_WEEK = 7;
const MINUTES_OF_DAY = 1_440;
const MAXIMUM_LINE_NAME_BYTES = 64;

/** With the defaults of what the request leaves out. Throws INVALID_REQUEST. */
export function settingsOfRequest(asked: businessdaypb.BranchSettings | undefined): BranchSettings {
  if (asked === undefined) throw invalidRequest('settings', 'are missing; a branch has a time zone at least');
  const { timeZone, restDays, holidays, cutMinutes, automatic, rollPolicy, stageOneJobs, jobs, waitMs, stepAccounts, lineNames } = asked;
  if (timeZone === '' || !isTimeZone(timeZone)) throw invalidRequest('settings.time_zone', `is "${timeZone.slice(0, 64)}"; it must be an IANA name`);
  if (holidays.length > MAXIMUM_HOLIDAYS) throw invalidRequest('settings.holidays', `has ${holidays.length} dates; it may have ${MAXIMUM_HOLIDAYS}`);
  checkNumber(cutMinutes, 'settings.cut_minutes', MINUTES_OF_DAY - 1);
  checkNumber(waitMs, 'settings.wait_ms', MAXIMUM_WAIT_MS);
  checkNumber(stepAccounts, 'settings.step_accounts', MAXIMUM_STEP_ACCOUNTS);
  return {
    calendar: {
      timeZone,
      restDays: restDaysOf(restDays),
      holidays: new Set(holidays.map((text) => dateAsked(text, 'settings.holidays'))),
      cutMinutes,
    },
    automatic,
    rollPolicy: ROLL_POLICY_NAMES.asked(rollPolicy, 'settings.roll_policy', 'BEFORE_POSTING'),
    stageOneJobs: jobsOf(stageOneJobs, 'settings.stage_one_jobs', ['MATURITY']),
    jobs: jobs.length === 0 ? JOBS : jobsOf(jobs, 'settings.jobs', JOBS),
    waitMs: waitMs === 0 ? DEFAULT_WAIT_MS : waitMs,
    stepAccounts: stepAccounts === 0 ? DEFAULT_STEP_ACCOUNTS : stepAccounts,
    lineNames: lineNamesOf(lineNames),
  };
}

function checkNumber(value: number, field: string, maximum: number): void {
  if (value < 0 || value > maximum) throw invalidRequest(field, `is ${value}; it must be 0 to ${maximum}`);
}

function restDaysOf(restDays: readonly number[]): ReadonlySet<number> {
  for (const day of restDays) if (day < 1 || day > DAYS_OF_WEEK) throw invalidRequest('settings.rest_days', `has ${day}; it may have 1, Monday, to 7, Sunday`);
  const days = new Set(restDays);
  if (days.size === DAYS_OF_WEEK) throw invalidRequest('settings.rest_days', 'has every weekday; at least one must be left for business');
  return days;
}

function jobsOf(asked: readonly number[], field: string, allowed: readonly Job[]): readonly Job[] {
  const jobs = asked.map((job) => JOB_NAMES.asked(job, field, undefined));
  const wrong = jobs.find((job, at) => !allowed.includes(job) || jobs.indexOf(job) !== at);
  if (wrong !== undefined) throw invalidRequest(field, `has ${wrong}; it may have each of ${allowed.join(', ')} once`);
  return jobs;
}

function lineNamesOf(asked: Readonly<Record<number, string>>): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const [line, name] of Object.entries(asked)) {
    if (logpb.ContraLine[Number(line)] === undefined || Number(line) <= 0)
      throw invalidRequest('settings.line_names', `names line ${line}; there is no such line`);
    checkText(name, `settings.line_names[${line}]`, 1, MAXIMUM_LINE_NAME_BYTES);
    names.set(Number(line), name);
  }
  return names;
}

export function settingsToProto({ calendar, ...settings }: BranchSettings): businessdaypb.BranchSettings {
  return {
    timeZone: calendar.timeZone,
    restDays: [...calendar.restDays],
    holidays: [...calendar.holidays].map(textOfDate),
    cutMinutes: calendar.cutMinutes,
    automatic: settings.automatic,
    rollPolicy: ROLL_POLICY_NAMES.toProto(settings.rollPolicy),
    stageOneJobs: settings.stageOneJobs.map((job) => JOB_NAMES.toProto(job)),
    jobs: settings.jobs.map((job) => JOB_NAMES.toProto(job)),
    waitMs: settings.waitMs,
    stepAccounts: settings.stepAccounts,
    lineNames: Object.fromEntries(settings.lineNames),
  };
}

/** Of an event or a snapshot. */
export function settingsFromProto(settings: businessdaypb.BranchSettings | undefined): BranchSettings {
  if (settings === undefined) throw new Error('a branch has no settings');
  const { timeZone, restDays, holidays, cutMinutes, automatic, rollPolicy, stageOneJobs, jobs, waitMs, stepAccounts, lineNames } = settings;
  return {
    calendar: { timeZone, restDays: new Set(restDays), holidays: new Set(holidays.map((text) => dateAsked(text, 'holidays'))), cutMinutes },
    automatic,
    rollPolicy: ROLL_POLICY_NAMES.fromProto(rollPolicy),
    stageOneJobs: stageOneJobs.map((job) => JOB_NAMES.fromProto(job)),
    jobs: jobs.map((job) => JOB_NAMES.fromProto(job)),
    waitMs,
    stepAccounts,
    lineNames: new Map(Object.entries(lineNames).map(([line, name]) => [Number(line), name])),
  };
}

export function stepToProto({ kind, job }: PlannedStep): businessdaypb.PlannedStep {
  return { kind: STEP_NAMES.toProto(kind), job: job === undefined ? 0 : JOB_NAMES.toProto(job) };
}

export function stepFromProto({ kind, job }: businessdaypb.PlannedStep): PlannedStep {
  return { kind: STEP_NAMES.fromProto(kind), ...(job !== 0 && { job: JOB_NAMES.fromProto(job) }) };
}
