/**
 * Replays a grid's jobs as tasks: each is submitted at its time, with a limit, and workers run it for as long as it ran. In the end every
 * task is held against the file.
 *
 *   submitted at its time ──▶ run by a worker ──▶ SUCCEEDED, or FAILED by its limit ──▶ compared
 *                                └── cut off by a kill ──▶ tried again
 *
 * A run has queues of its own, so that runs do not mix on one server.
 */
import { basename } from 'node:path';
import type { SluiceClient, Task, TaskInput } from '@sluice/client';
import type { ReplayObserver } from './bank-replay';
import { expectedEndOf, type GridJob, limitMsOf, readGridFile, scaledMs } from './grid-job';
import { JOB_TYPE, type MeasuredRun } from './grid-worker';
import { type GridWorker, GridWorkerProcess, startWorkerHere } from './grid-workers';
import { ReadWindow } from './read-window';
import { groupedByJob, hasEnded, JOB_LABEL, judgeTasks, lastRetryOf, type TaskJudgement } from './task-judgement';
import { type KillableService, killOnTheWay, type Outage, pause, wasCutOff } from './task-outages';
import { isAway, untilAnswered } from './until-answered';

export interface TaskReplayOptions {
  readonly file: string;
  /** Jobs of the file that are replayed. */
  readonly limit: number;
  /** How many times faster than in the file everything goes. */
  readonly scale: number;
  readonly client: SluiceClient;
  /** Command services that worker processes connect to, one each; undefined: the workers run in this process and call by `client`. */
  readonly workerTargets?: readonly string[] | undefined;
  /** Given: a worker process and the service are killed on the way. */
  readonly chaos?: KillableService | undefined;
  readonly observer: ReplayObserver;
}

export interface TaskReplayReport extends TaskJudgement {
  readonly tasks: number;
  /** Tasks that a kill had cut off, and that were submitted again. */
  readonly triedAgain: number;
}

const QUEUES = 8;
const WORKERS_HERE = 2;
/** A worker that is killed is noticed within this time. */
const HEARTBEAT_MS = 2_000;
/** No task is given up for lost workers before so many. */
const MAXIMUM_ATTEMPTS = 10;
const RETRY_PAUSE_MS = 100;
const LOOK_MS = 500;
const SUBMISSIONS_EVERY_MS = 2;
const CALL_DEADLINE_MS = 5_000;
/** If nothing ends for so long, what is left is lost. */
const STALL_MS = 60_000;
const MAXIMUM_TRIES_AGAIN = 3;
/** The read store may be so far behind when the tasks are compared. */
const READ_PATIENCE_MS = 120_000;
const PAGE_SIZE = 500;
const MAXIMUM_READS_UNDER_WAY = 16;

export async function replayTasks(options: TaskReplayOptions): Promise<TaskReplayReport> {
  const { file, limit, observer } = options;
  observer.step('reading', undefined);
  const jobs: GridJob[] = [];
  for await (const job of readGridFile(file)) {
    jobs.push(job);
    if (jobs.length === limit) break;
  }
  jobs.sort((left, right) => left.submittedS - right.submittedS);
  observer.stepDone();
  const replay = new TaskReplay(options, jobs);
  try {
    await replay.startWorkers();
    await replay.run();
    return await replay.judged();
  } finally {
    await replay.stopWorkers();
  }
}

class TaskReplay {
  private readonly queues: readonly string[];
  private workers: GridWorker[] = [];
  private readonly acknowledged = new Map<string, string>();
  /** The newest handler of each task. */
  private readonly runs = new Map<string, MeasuredRun>();
  private outages: readonly Outage[] = [];
  private triedAgain = 0;
  private isSubmitted = false;
  private isOver = false;

  constructor(
    private readonly options: TaskReplayOptions,
    private readonly jobs: readonly GridJob[],
  ) {
    const name = basename(options.file).replace(/(\.csv)?(\.gz)?$/, '');
    const run = Date.now().toString(36);
    this.queues = Array.from({ length: QUEUES }, (_, at) => `${name.slice(0, 64)}-${run}-${at}`);
  }

  async startWorkers(): Promise<void> {
    const { workerTargets, client } = this.options;
    this.options.observer.step('starting workers', undefined);
    const onRun = (run: MeasuredRun): unknown => this.runs.set(run.taskId, run);
    if (workerTargets === undefined) {
      for (let at = 0; at < WORKERS_HERE; at += 1) this.workers.push(await startWorkerHere(client, `replay-${at}`, this.queues, onRun));
    } else {
      const workers = workerTargets.map((target, at) => new GridWorkerProcess(`replay-${at}`, target, this.queues, onRun));
      this.workers = workers;
      await Promise.all(workers.map((worker) => worker.start()));
    }
    this.options.observer.stepDone();
  }

  async stopWorkers(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.stop()));
  }

  /** Submits every job at its time; resolves when all have ended, or none ends any more. */
  async run(): Promise<void> {
    const { observer } = this.options;
    observer.step('running tasks', this.jobs.length);
    const killing = this.kill();
    // Its failure is thrown below.
    killing.catch(() => undefined);
    const following = this.follow(this.jobs.length);
    try {
      await this.submitAll();
      this.outages = await killing;
      this.isSubmitted = true;
      await following;
    } finally {
      this.isOver = true;
    }
    observer.stepDone();
  }

  /** Submits again what a kill cut off, then compares every task with its job. */
  async judged(): Promise<TaskReplayReport> {
    const { scale, observer } = this.options;
    observer.step('comparing', undefined);
    let tasks = await this.readTasks();
    for (let tries = 0; tries < MAXIMUM_TRIES_AGAIN; tries += 1) {
      const again = await this.tryCutOffAgain(tasks);
      if (again === 0) break;
      this.isOver = false;
      await this.follow(this.jobs.length + this.triedAgain);
      tasks = await this.readTasks();
    }
    observer.stepDone();
    return { tasks: this.jobs.length, triedAgain: this.triedAgain, ...judgeTasks(this.jobs, scale, this.acknowledged, tasks, this.runs) };
  }

  // ---- submitting ----

  private async submitAll(): Promise<void> {
    const { scale } = this.options;
    const firstS = this.jobs[0]?.submittedS ?? 0;
    const beganMs = performance.now();
    const submitting: Promise<void>[] = [];
    for (let at = 0; at < this.jobs.length; ) {
      const due = new Map<string, GridJob[]>();
      for (; at < this.jobs.length; at += 1) {
        const job = this.jobs[at] as GridJob;
        if (scaledMs(job.submittedS - firstS, scale) > performance.now() - beganMs) break;
        const queue = this.queues[job.site % QUEUES] as string;
        due.set(queue, [...(due.get(queue) ?? []), job]);
      }
      for (const [queue, jobs] of due) submitting.push(this.submit(queue, jobs));
      await pause(SUBMISSIONS_EVERY_MS);
    }
    await Promise.all(submitting);
  }

  /** Resolves when every job is acknowledged; while the server is away it is asked again with the same request ids. */
  private async submit(queue: string, jobs: readonly GridJob[]): Promise<void> {
    let left = jobs;
    while (left.length > 0) {
      const unanswered: GridJob[] = [];
      const outcomes = await untilAnswered(() =>
        this.options.client.tasks.createMany(
          queue,
          left.map((job) => this.taskOf(job)),
          { deadlineMs: CALL_DEADLINE_MS },
        ),
      );
      for (const [at, { task, error }] of outcomes.entries()) {
        const job = left[at] as GridJob;
        if (error === undefined) this.acknowledged.set(job.jobId, task.taskId);
        else if (isAway(error)) unanswered.push(job);
        else throw error;
      }
      left = unanswered;
    }
  }

  private taskOf(job: GridJob): TaskInput {
    const { scale } = this.options;
    return {
      requestId: `job-${job.jobId}`,
      type: JOB_TYPE,
      payload: { runMs: scaledMs(job.runS, scale) },
      limits: { startToFinishMs: Math.max(1, Math.round(limitMsOf(job, scale))), heartbeatMs: HEARTBEAT_MS },
      retry: { maximumAttempts: MAXIMUM_ATTEMPTS, firstPauseMs: RETRY_PAUSE_MS, growthPercent: 0 },
      labels: { [JOB_LABEL]: job.jobId },
    };
  }

  // ---- on the way ----

  private async kill(): Promise<readonly Outage[]> {
    const { chaos, scale } = this.options;
    const [worker] = this.workers;
    if (chaos === undefined || !(worker instanceof GridWorkerProcess)) return [];
    const spanS = (this.jobs.at(-1)?.submittedS ?? 0) - (this.jobs[0]?.submittedS ?? 0);
    return killOnTheWay(scaledMs(spanS, scale), worker, chaos);
  }

  /** Resolves when so many tasks have ended, or none ends any more. */
  private async follow(total: number): Promise<void> {
    let ended = 0;
    let changedMs = Date.now();
    while (ended < total && !this.isOver) {
      await pause(LOOK_MS);
      const now = await this.endedCount();
      if (now > ended || !this.isSubmitted) changedMs = Date.now();
      if (Date.now() - changedMs > STALL_MS) return;
      ended = Math.max(ended, now);
      this.options.observer.progress(Math.min(ended, this.jobs.length));
    }
  }

  private async endedCount(): Promise<number> {
    const counts = await Promise.all(
      this.queues.map(async (queue) => {
        try {
          // What is there: a read that waits for what this client wrote says nothing while the read store is behind.
          const { succeeded, failed, cancelled } = (await this.options.client.tasks.queueStats(queue, { positionTokens: [] })).counts;
          return succeeded + failed + cancelled;
        } catch {
          // The queue has no task yet, or the server is away: the next look tells.
          return 0;
        }
      }),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  // ---- comparing ----

  /** Every task of the replay; those whose attempts are judged with them, which listings leave out. */
  private async readTasks(): Promise<Task[]> {
    const { client, scale } = this.options;
    const expected = new Map(this.jobs.map((job) => [job.jobId, expectedEndOf(job, scale)]));
    const tasks: Task[] = [];
    const window = new ReadWindow(MAXIMUM_READS_UNDER_WAY);
    for (const queue of this.queues) {
      for await (const task of this.listed(queue)) {
        const ranOut = task.state === 'FAILED' && expected.get(task.labels[JOB_LABEL] ?? '') === 'SUCCEEDED';
        if (task.attemptCount < 2 && !ranOut) {
          tasks.push(task);
          continue;
        }
        await window.enter();
        window.leaveWhen(
          untilAnswered(() => client.tasks.get(task.taskId), READ_PATIENCE_MS).then((whole) => tasks.push(whole)),
          () => undefined,
        );
      }
    }
    await window.allLeft();
    return tasks;
  }

  /** The tasks of a queue; waits while the read store is behind. */
  private async *listed(queue: string): AsyncGenerator<Task> {
    let pageToken = '';
    do {
      const page = await untilAnswered(() => this.options.client.tasks.listPage({ queue }, { pageSize: PAGE_SIZE, pageToken }), READ_PATIENCE_MS);
      yield* page.items;
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }

  /** @returns how many tasks were submitted again. */
  private async tryCutOffAgain(tasks: readonly Task[]): Promise<number> {
    const byJob = groupedByJob(tasks);
    let again = 0;
    for (const job of this.jobs) {
      if (expectedEndOf(job, this.options.scale) !== 'SUCCEEDED') continue;
      const found = byJob.get(job.jobId) ?? [];
      const first = found.find(({ retryOf }) => retryOf === '');
      const last = first && lastRetryOf(first, found);
      if (last === undefined || !hasEnded(last) || !wasCutOff(last, this.outages)) continue;
      await untilAnswered(() => this.options.client.tasks.retry(last.taskId, `again-${last.taskId}`));
      again += 1;
    }
    this.triedAgain += again;
    return again;
  }
}
