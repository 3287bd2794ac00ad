/** Branches, their dates and their runs as people see them. */
import type { BatchRun, BranchChanged, BranchDates, BusinessDay, RunStep } from '@sluice/client';
import { againText, type Cell, clockText, type Output } from '../output';
import { cutText, WEEKDAYS } from './settings-options';

const SECOND_MS = 1_000;

export function changedPairs({ day, requestId, repeated }: BranchChanged): readonly (readonly [string, Cell])[] {
  return [...datesPairs(day), ['request id', requestId], againText({ repeated })];
}

export function dayPairs(day: BusinessDay): readonly (readonly [string, Cell])[] {
  const { settings } = day;
  return [
    ...datesPairs(day),
    ['online date by', day.onlineRunId],
    ['batch date by', day.batchRunId],
    ['next cut', clockText(day.nextCutAt)],
    ['time zone', settings.timeZone],
    ['cut', `${cutText(settings.cutMinutes)}, ${settings.automatic ? 'by itself' : 'on command'}`],
    ['rest days', settings.restDays.map((restDay) => WEEKDAYS[restDay - 1] ?? restDay).join(', ')],
    ['holidays', settings.holidays.join(', ')],
    ['roll policy', settings.rollPolicy],
    ['stage one jobs', settings.stageOneJobs.join(', ')],
    ['jobs', settings.jobs.join(', ')],
    ['waits', `${settings.waitMs} ms for transfers that are on their way`],
    ['step accounts', settings.stepAccounts],
    ...Object.entries(settings.lineNames).map(([line, name]): readonly [string, Cell] => [line, name]),
  ];
}

function datesPairs({ branchId, onlineDate, batchDate, runId, runState }: BranchDates): readonly (readonly [string, Cell])[] {
  return [
    ['branch', branchId],
    ['online date', onlineDate],
    ['batch date', batchDate],
    ['run', runId === '' ? '' : [runId, runState].filter((part) => part !== undefined).join(' ')],
  ];
}

export const BRANCH_COLUMNS: Readonly<Record<string, (row: BusinessDay) => Cell>> = {
  branch: (row) => row.branchId,
  online: (row) => row.onlineDate,
  batch: (row) => row.batchDate,
  run: (row) => row.runState,
  'time zone': (row) => row.settings.timeZone,
  cut: (row) => cutText(row.settings.cutMinutes),
  'next cut': (row) => clockText(row.nextCutAt),
};

export const RUN_COLUMNS: Readonly<Record<string, (row: BatchRun) => Cell>> = {
  date: (row) => row.date,
  next: (row) => row.nextDate,
  state: (row) => row.state,
  goal: (row) => row.goal,
  begun: (row) => clockText(row.begunAt),
  took: (row) => tookText(row),
  'set aside': (row) => row.setAsideCount,
  stragglers: (row) => row.stragglers,
  forced: (row) => row.forcedReason,
};

export const STEP_COLUMNS: Readonly<Record<string, (row: RunStep) => Cell>> = {
  step: stepName,
  begun: (row) => clockText(row.begunAt),
  took: (row) => tookText(row),
  'looked at': (row) => row.done,
  changed: (row) => row.changed,
};

/** The accounts that a run has set aside, below what is shown of it; nothing where there are none. */
export function showSetAside(output: Output, { steps, setAside }: BatchRun): void {
  if (setAside.length === 0) return;
  const names = new Map(steps.map((step) => [step.stepId, stepName(step)]));
  output.line('');
  output.table(setAside, { 'set aside': (row) => row.accountId, step: (row) => names.get(row.stepId) ?? row.stepId, reason: (row) => row.reason });
}

/** "interest", "maturity before the cut" … */
export function stepName({ kind, job, stepId }: RunStep): string {
  if (kind === 'JOB') return job?.toLowerCase() ?? stepId;
  if (kind === 'STAGE_ONE') return `${job?.toLowerCase() ?? stepId} before the cut`;
  return kind?.toLowerCase() ?? stepId;
}

/** How long it took; '' while it has not ended. */
export function tookText({ begunAt, endedAt }: { readonly begunAt: Date | undefined; readonly endedAt: Date | undefined }): string {
  if (begunAt === undefined || endedAt === undefined) return '';
  const tookMs = endedAt.getTime() - begunAt.getTime();
  return tookMs < SECOND_MS ? `${Math.round(tookMs)} ms` : `${(tookMs / SECOND_MS).toFixed(1)} s`;
}
