/** Branches and their dates to the messages that travel, and back. */
import { logpb } from '@sluice/protocol';
import { businessdaypb } from '@sluice/protocol/businessday';
import { nameOfValue } from '../enum-wire';
import { expectedPart } from '../expected-part';
import { timeFromWire } from '../time-wire';
import {
  type BranchChanged,
  type BranchDates,
  type BranchSettings,
  type BranchSettingsInput,
  type BusinessDay,
  CONTRA_LINES,
  type ContraLine,
  DAY_JOBS,
  type DayJob,
  ROLL_POLICIES,
  RUN_STATES,
  type RunState,
} from './business-day';

export function settingsToWire(input: BranchSettingsInput): businessdaypb.BranchSettings {
  const { timeZone, restDays = [], holidays = [], cutMinutes = 0, automatic = false, rollPolicy, stageOneJobs = [], jobs = [] } = input;
  const { waitMs = 0, stepAccounts = 0, lineNames = {} } = input;
  return {
    timeZone,
    restDays: [...restDays],
    holidays: [...holidays],
    cutMinutes,
    automatic,
    rollPolicy: logpb.RollPolicy[`ROLL_POLICY_${rollPolicy ?? 'UNSPECIFIED'}`],
    stageOneJobs: stageOneJobs.map(jobToWire),
    jobs: jobs.map(jobToWire),
    waitMs,
    stepAccounts,
    lineNames: Object.fromEntries(Object.entries(lineNames).map(([line, name]) => [logpb.ContraLine[`CONTRA_LINE_${line as ContraLine}`], name])),
  };
}

function settingsFromWire({ rollPolicy, stageOneJobs, jobs, lineNames, ...said }: businessdaypb.BranchSettings): BranchSettings {
  return {
    ...said,
    rollPolicy: nameOfValue(ROLL_POLICIES, logpb.RollPolicy, 'ROLL_POLICY_', rollPolicy),
    stageOneJobs: jobsFromWire(stageOneJobs),
    jobs: jobsFromWire(jobs),
    lineNames: Object.fromEntries(Object.entries(lineNames).map(([line, name]) => [lineFromWire(Number(line)) ?? line, name])),
  };
}

export function dayFromWire(day: businessdaypb.BusinessDay | undefined): BusinessDay {
  const found = expectedPart(day);
  return { ...datesFromWire(found), settings: settingsFromWire(expectedPart(found.settings)) };
}

export function changedFromWire(requestId: string, { day, repeated, positionToken }: businessdaypb.CutDayResponse): BranchChanged {
  return { requestId, day: datesFromWire(expectedPart(day)), repeated, positionToken };
}

function datesFromWire({ settings: _, runState, nextCutAt, ...said }: businessdaypb.BusinessDay): BranchDates {
  return { ...said, runState: runStateFromWire(runState), nextCutAt: timeFromWire(nextCutAt) };
}

export function runStateFromWire(state: businessdaypb.RunState): RunState | undefined {
  return nameOfValue(RUN_STATES, businessdaypb.RunState, 'RUN_STATE_', state);
}

export function jobFromWire(job: businessdaypb.Job): DayJob | undefined {
  return nameOfValue(DAY_JOBS, businessdaypb.Job, 'JOB_', job);
}

export function lineFromWire(line: logpb.ContraLine): ContraLine | undefined {
  return nameOfValue(CONTRA_LINES, logpb.ContraLine, 'CONTRA_LINE_', line);
}

function jobToWire(job: DayJob): businessdaypb.Job {
  return businessdaypb.Job[`JOB_${job}`];
}

function jobsFromWire(jobs: readonly businessdaypb.Job[]): DayJob[] {
  return jobs.map(jobFromWire).filter((job) => job !== undefined);
}
