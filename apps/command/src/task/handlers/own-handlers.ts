/**
 * Handlers in this process: they run tasks of every queue whose partition this instance owns. Nothing is between a queue and a thread: a
 * queue says that a task may start, its attempt is started in a turn, and when that is durable the task goes to a thread.
 *
 *   begin ──▶ a queue has a task, and a thread is free ──take, durable──▶ running ──report──▶ free
 *     └──drain──▶ nothing further is taken; what runs may end within the grace, the rest is given back
 *
 * A thread is ended when its task is cancelled, runs out of time or is lost. A partition that another instance takes over takes no running
 * task along: what runs here is reported to the new owner.
 */
import { hostname } from 'node:os';
import type { Clock } from '@sluice/ports';
import { taskpb } from '@sluice/protocol/task';
import { type Caller, ConfigurationError, GatheredCall, SluiceError } from '@sluice/service';
import { type HandlerOutcome, HandlerThreads, handlerTaskOf } from '@sluice/task-handlers';
import { keptMessage } from '../task-shape';
import type { QueueWork } from '../queue-work';
import type { WorkerQueues } from '../worker-queues';
import { StartableQueues } from './startable-queues';

export interface OwnHandlersOptions {
  /** Path of the module. */
  readonly module: string;
  /** Tasks that run at once. */
  readonly threads: number;
  readonly clock: Clock;
  readonly trouble: (partition: number, what: string, error: unknown) => void;
}

/** A module that does not say by then which handlers it has is refused. */
const LOADING_LIMIT_MS = 30_000;
/** How often is looked which attempts need a sign of life. */
const BEAT_MS = 50;
/** Progress waits so long for the next sign of life, at most. */
const PROGRESS_WITHIN_MS = 250;
/** Before a queue is asked again whose attempts could not be started. */
const TAKE_AGAIN_MS = 100;
/** A report that the owner could not take is sent again after so long. */
const REPORT_AGAIN_MS = 200;
/** How long giving back may take when the process stops; then the heartbeat limit frees the tasks. */
const GIVE_BACK_LIMIT_MS = 1_000;

const CALLER: Caller = Object.freeze({ name: 'handlers', roles: new Set(['post'] as const) });

interface RunningTask {
  readonly partition: number;
  readonly lease: taskpb.Lease;
  readonly heartbeatEveryMs: number;
  nextBeatUs: number;
  progress: taskpb.TaskProgress | undefined;
  stopThread: () => void;
  /** Ends what was begun for the task beside its thread. */
  readonly forget: (() => void)[];
}

export class OwnHandlers {
  private readonly threads: HandlerThreads;
  private readonly workerId = `${hostname()}:${process.pid}:handlers`.slice(-128);
  private readonly running = new Map<string, RunningTask>();
  private types: readonly string[] = [];
  private queues: WorkerQueues | undefined;
  private taking: Promise<void> = Promise.resolve();
  private draining = false;
  private drained: Promise<void> | undefined;
  private ended = false;
  private readonly waiters: (() => void)[] = [];
  private cancelBeat: (() => void) | undefined;

  constructor(private readonly options: OwnHandlersOptions) {
    this.threads = new HandlerThreads(options.module, options.threads);
  }

  /** Loads the module. Throws ConfigurationError if that fails, or if it exports no handlers. */
  async load(): Promise<void> {
    const { module } = this.options;
    try {
      const loading = this.threads.types().then((types) => {
        this.types = types;
      });
      if (!(await this.within(LOADING_LIMIT_MS, loading))) throw new Error(`it is not loaded after ${LOADING_LIMIT_MS / 1_000} s`);
    } catch (error) {
      this.threads.end();
      const reason = error instanceof Error ? error.message : String(error);
      throw new ConfigurationError([`SLUICE_TASK_HANDLERS: the module ${module} cannot be used: ${reason.replace(/\s*\n\s*/g, ' ')}`]);
    }
  }

  begin(work: QueueWork, queues: WorkerQueues): void {
    const startable = new StartableQueues((partition, entry) => work.hasTask(partition, entry, this.types));
    this.queues = queues;
    work.followQueues((partition, entry) => {
      startable.add(partition, entry);
      this.wake();
    });
    this.taking = this.takeTasks(work, startable);
  }

  /** Takes nothing further; resolves when what runs has ended, or was given back because the grace is over. The second call waits for the first. */
  drain(graceMs: number): Promise<void> {
    this.drained ??= this.endWithin(graceMs);
    return this.drained;
  }

  /** Ends every thread. */
  end(): void {
    this.ended = true;
    this.cancelBeat?.();
    this.threads.end();
  }

  private async endWithin(graceMs: number): Promise<void> {
    this.draining = true;
    this.wake();
    await this.within(graceMs, this.untilIdle());
    const left = [...this.running.values()];
    for (const task of left) this.cut(task);
    await this.within(GIVE_BACK_LIMIT_MS, Promise.all(left.map((task) => this.report(task, { returned: [task.lease] }))));
    this.end();
  }

  private async untilIdle(): Promise<void> {
    await this.taking;
    while (this.running.size > 0) await this.change();
  }

  // ---- taking ----

  private async takeTasks(work: QueueWork, startable: StartableQueues): Promise<void> {
    while (!this.draining) {
      const room = this.options.threads - this.running.size;
      const place = room > 0 ? startable.next() : undefined;
      if (place === undefined) {
        await this.change();
        continue;
      }
      const { partition, queue } = place;
      const take = { queues: [queue], types: this.types, maximumTasks: room, workerId: this.workerId, keepsLimits: false };
      let taken = 0;
      try {
        for await (const tasks of (await work.start(partition, take)).pages()) {
          // Too late: the heartbeat limit frees them.
          if (this.ended) return;
          for (const task of tasks) this.start(partition, task);
          taken += tasks.length;
        }
      } catch (error) {
        // The partition is changing hands, or its queue is full.
        const takesNoTurns = error instanceof SluiceError && error.reason === 'PARTITION_UNAVAILABLE';
        if (!takesNoTurns) this.options.trouble(partition, `tasks of queue ${queue} could not be handed to the handlers in this process`, error);
      }
      // Another worker was faster, or the partition takes no turns now.
      if (taken === 0) await this.pause(TAKE_AGAIN_MS);
    }
  }

  private start(partition: number, assigned: taskpb.AssignedTask): void {
    const { taskId, leaseToken, timeLeftMs, heartbeatEveryMs } = assigned;
    const { clock } = this.options;
    const lease = { taskId, leaseToken };
    const run = this.threads.run(handlerTaskOf(assigned), (done, total, text) => this.progressed(task, { done, total, text }));
    const nextBeatUs = clock.nowUs() + heartbeatEveryMs * 1_000;
    const task: RunningTask = { partition, lease, heartbeatEveryMs, nextBeatUs, progress: undefined, stopThread: () => run.stop(), forget: [] };
    this.running.set(keyOf(lease), task);
    task.forget.push(this.queues?.onStop(lease, () => this.stop(task)) ?? (() => undefined));
    // The owner may be another instance by then.
    if (timeLeftMs > 0) task.forget.push(clock.after(timeLeftMs, () => this.stop(task)));
    void run.outcome.then((outcome) => this.finish(task, outcome));
    this.cancelBeat ??= clock.after(BEAT_MS, () => this.beat());
  }

  /** Ends the thread; nothing is reported. */
  private stop(task: RunningTask): void {
    if (this.running.get(keyOf(task.lease)) !== task) return;
    this.cut(task);
    this.release(task);
  }

  private cut(task: RunningTask): void {
    task.stopThread();
    for (const forget of task.forget.splice(0)) forget();
  }

  private release({ lease, forget }: RunningTask): void {
    for (const one of forget.splice(0)) one();
    this.running.delete(keyOf(lease));
    this.wake();
  }

  // ---- reports ----

  private async finish(task: RunningTask, { result, failure }: HandlerOutcome): Promise<void> {
    const { lease } = task;
    if (this.running.get(keyOf(lease)) !== task) return;
    if (failure === undefined) {
      const body = result && { body: Buffer.from(result.bytes), contentType: result.contentType };
      await this.report(task, { completions: [{ lease, result: body, ranUs: 0n }] });
    } else {
      await this.report(task, { failings: [{ lease, message: keptMessage(failure.message), permanent: failure.permanent, ranUs: 0n, timeLimit: false }] });
    }
    this.release(task);
  }

  /** Resolves when the owner of the queue has answered. */
  private async report({ partition }: RunningTask, part: Partial<taskpb.WorkRequest>): Promise<void> {
    while (!this.ended) {
      const verdicts = (await this.send(partition, part))?.verdicts;
      if (verdicts !== undefined && verdicts.every(({ reason }) => reason !== 'UNAVAILABLE')) return;
      await this.pause(REPORT_AGAIN_MS);
    }
  }

  /** Undefined: the owner did not answer. */
  private async send(partition: number, part: Partial<taskpb.WorkRequest>): Promise<taskpb.ReportTasksResponse | undefined> {
    const report = taskpb.WorkRequest.fromPartial(part);
    try {
      return await this.queues?.report(partition, report, new GatheredCall(CALLER, Number.POSITIVE_INFINITY));
    } catch {
      return undefined;
    }
  }

  private progressed(task: RunningTask, progress: taskpb.TaskProgress): void {
    task.progress = progress;
    const soonUs = this.options.clock.nowUs() + Math.min(task.heartbeatEveryMs, PROGRESS_WITHIN_MS) * 1_000;
    task.nextBeatUs = Math.min(task.nextBeatUs, soonUs);
  }

  private beat(): void {
    const { clock } = this.options;
    const nowUs = clock.nowUs();
    const due = new Map<number, taskpb.Heartbeat[]>();
    for (const task of this.running.values()) {
      if (task.nextBeatUs > nowUs) continue;
      const { partition, lease, progress } = task;
      const heartbeats = due.get(partition);
      if (heartbeats === undefined) due.set(partition, [{ lease, progress }]);
      else heartbeats.push({ lease, progress });
      task.progress = undefined;
      task.nextBeatUs = nowUs + task.heartbeatEveryMs * 1_000;
    }
    for (const [partition, heartbeats] of due) void this.sendBeats(partition, heartbeats);
    this.cancelBeat = this.running.size > 0 && !this.ended ? clock.after(BEAT_MS, () => this.beat()) : undefined;
  }

  private async sendBeats(partition: number, heartbeats: taskpb.Heartbeat[]): Promise<void> {
    for (const { lease } of (await this.send(partition, { heartbeats }))?.stops ?? []) {
      const task = lease && this.running.get(keyOf(lease));
      if (task !== undefined) this.stop(task);
    }
  }

  // ---- waiting ----

  private wake(): void {
    for (const waiter of this.waiters.splice(0)) waiter();
  }

  private change(): Promise<void> {
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.options.clock.after(ms, resolve));
  }

  /** Waits for the work, but not longer than that. @returns whether it was done. */
  private within(milliseconds: number, work: Promise<unknown>): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const cancel = this.options.clock.after(milliseconds, () => resolve(false));
      work.then(() => resolve(true), reject).finally(cancel);
    });
  }
}

function keyOf({ taskId, leaseToken }: taskpb.Lease): string {
  return `${taskId}#${leaseToken}`;
}
