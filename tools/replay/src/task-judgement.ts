/** Holds the tasks of a replay, as the read store has them, against the jobs of the file. */
import type { Task, TaskAttempt } from '@sluice/client';
import { endAfter, type ExpectedEnd, expectedEndOf, type GridJob, limitMsOf, scaledMs } from './grid-job';
import type { MeasuredRun } from './grid-worker';

export type JudgedTask = Pick<Task, 'taskId' | 'state' | 'labels' | 'retryOf' | 'failure' | 'attempts'>;

/** Label of a task: which job it is. */
export const JOB_LABEL = 'job';

export interface TaskJudgement {
  readonly succeeded: number;
  readonly timedOut: number;
  readonly nearLimit: number;
  /** What ended otherwise than the file says; a line each. */
  readonly mismatches: readonly string[];
  /** What timed out because the machine was late: by the worker's own clock its handler ran for so long that it came near its limit; a line each. */
  readonly late: readonly string[];
  /** Jobs that were acknowledged and have no task, or one that has not ended. */
  readonly lost: readonly string[];
  /** Jobs with a task too many, or with attempts that ran or succeeded beside each other. */
  readonly doubled: readonly string[];
}

/**
 * @param acknowledged ids of the tasks that the server said it has, by job.
 * @param runs the newest handler of each task, as far as its worker told of it.
 */
export function judgeTasks(
  jobs: readonly GridJob[],
  scale: number,
  acknowledged: ReadonlyMap<string, string>,
  tasks: readonly JudgedTask[],
  runs: ReadonlyMap<string, MeasuredRun>,
): TaskJudgement {
  const counts: Record<ExpectedEnd, number> = { SUCCEEDED: 0, TIMED_OUT: 0, NEAR_LIMIT: 0 };
  const mismatches: string[] = [];
  const late: string[] = [];
  const lost: string[] = [];
  const doubled: string[] = [];
  const byJob = groupedByJob(tasks);
  for (const job of jobs) {
    const named = `job ${job.jobId} (line ${job.line})`;
    const found = byJob.get(job.jobId) ?? [];
    const first = found.find(({ taskId }) => taskId === acknowledged.get(job.jobId));
    const last = first && lastRetryOf(first, found);
    if (last === undefined || !hasEnded(last)) {
      lost.push(`${named}: ${last === undefined ? 'there is no task' : `${last.taskId} is ${last.state}`}`);
      continue;
    }
    if (found.some((task) => task.retryOf === '' && task !== first)) doubled.push(`${named}: ${found.map(({ taskId }) => taskId).join(', ')}`);
    for (const { taskId, attempts } of found)
      if (areBesideEachOther(attempts)) doubled.push(`${named}: attempts of ${taskId} ran or succeeded beside each other`);
    const expected = expectedEndOf(job, scale);
    const end = endOf(last);
    if (expected === 'NEAR_LIMIT' || end === expected) {
      counts[expected] += 1;
      continue;
    }
    const run = runs.get(last.taskId);
    const line = `${named}: ${last.taskId} ended as ${end}, the file says ${expected}; ${limitText(job, scale)}; ${timesText(last, run)}`;
    const wasLate = expected === 'SUCCEEDED' && end === 'TIMED_OUT' && run !== undefined && endAfter(job, run.ranMs, scale) !== 'SUCCEEDED';
    (wasLate ? late : mismatches).push(line);
  }
  return { succeeded: counts.SUCCEEDED, timedOut: counts.TIMED_OUT, nearLimit: counts.NEAR_LIMIT, mismatches, late, lost, doubled };
}

function limitText(job: GridJob, scale: number): string {
  return `it was to run ${scaledMs(job.runS, scale)} ms of ${limitMsOf(job, scale)} ms`;
}

/** Where the time of the newest attempt went. Server and workers are on one machine: their times of day are the same. */
function timesText({ attempts }: JudgedTask, run: MeasuredRun | undefined): string {
  const { number, workerId, startedAt, endedAt } = attempts.at(-1) ?? {};
  if (startedAt === undefined || endedAt === undefined) return 'no attempt is known';
  const sinceStart = (atMs: number): string => `${(atMs - startedAt.getTime()).toFixed(0)} ms`;
  const attempt = `attempt ${number} (${workerId}, started ${startedAt.toISOString()})`;
  const ended = `its end was recorded after ${sinceStart(endedAt.getTime())}`;
  if (run === undefined) return `${attempt}: no worker tells of it, ${ended}`;
  return `${attempt}: its handler began after ${sinceStart(run.beganAtMs)} and ran ${run.ranMs.toFixed(1)} ms, ${ended}`;
}

export function hasEnded({ state }: Pick<Task, 'state'>): boolean {
  return state === 'SUCCEEDED' || state === 'FAILED' || state === 'CANCELLED';
}

export function groupedByJob<Each extends JudgedTask>(tasks: readonly Each[]): Map<string, Each[]> {
  const byJob = new Map<string, Each[]>();
  for (const task of tasks) {
    const jobId = task.labels[JOB_LABEL] ?? '';
    const others = byJob.get(jobId);
    if (others === undefined) byJob.set(jobId, [task]);
    else others.push(task);
  }
  return byJob;
}

/** The task itself, or the newest one that was submitted because it was to be tried again. */
export function lastRetryOf<Each extends JudgedTask>(task: Each, tasks: readonly Each[]): Each {
  const again = tasks.find(({ retryOf }) => retryOf === task.taskId);
  return again === undefined ? task : lastRetryOf(again, tasks);
}

function endOf({ state, failure }: JudgedTask): string {
  if (state === 'FAILED' && failure?.kind === 'TIME_LIMIT' && failure.limit === 'START_TO_FINISH') return 'TIMED_OUT';
  return failure === undefined ? state : `${state} (${failure.kind}: ${failure.message})`;
}

function areBesideEachOther(attempts: readonly TaskAttempt[]): boolean {
  return attempts.some((attempt, at) => {
    const next = attempts[at + 1];
    if (next === undefined) return false;
    const succeeded = attempt.failure === undefined && attempt.retryAt === undefined;
    return succeeded || attempt.endedAt === undefined || next.startedAt === undefined || next.startedAt < attempt.endedAt;
  });
}
