/**
 * A worker: takes tasks of its queues over one stream, runs their handlers, and reports.
 *
 *   begin ──▶ connected ──stream cut──▶ connecting again, with the leases that it holds ──▶ connected
 *                └──drain──▶ no further tasks; ends when nothing runs and everything is reported
 *
 * Leases survive the stream: what runs goes on while the worker is not connected, and is reported on the next stream. A report is sent until
 * the server has answered it.
 */
import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { type taskpb } from '@sluice/protocol/task';
import { failureOf, type HandlerOutcome, type HandlerTask, HandlerThreads, handlerTaskOf } from '@sluice/task-handlers';
import { longTimer, type Timer } from '../long-timer';
import type { Handler, HandlerContext, WorkerTask } from './handlers';
import type { TaskBody } from './task';
import { bodyToWire } from './task-wire';

export interface WorkerOptions {
  readonly queues: readonly string[];
  /** Tasks under way at most. Default 10. */
  readonly capacity?: number;
  /** Names the worker in attempts. Default: made of host and process. */
  readonly workerId?: string;
  /** Called for what costs the worker its connection, and for handlers that fail. */
  readonly onTrouble?: (what: string, error: unknown) => void;
}

/** Before the stream is opened again. */
const FIRST_PAUSE_MS = 50;
const MAXIMUM_PAUSE_MS = 2_000;
/** How often the worker looks which attempts need a sign of life. */
const BEAT_MS = 50;
/** A report that the server could not take is sent again after so long. */
const REPORT_AGAIN_MS = 200;
const MAXIMUM_MESSAGE_CHARACTERS = 4_000;
/** What one message to the server reports; the report that fills it is in it. */
const MESSAGE_REPORTS = 1_000;
const MESSAGE_BYTES = 1 << 20;

type Stream = ClientDuplexStream<taskpb.WorkRequest, taskpb.WorkResponse>;
type Report =
  | { readonly kind: 'completion'; readonly completion: taskpb.Completion }
  | { readonly kind: 'failing'; readonly failing: taskpb.Failing }
  | { readonly kind: 'returned'; readonly lease: taskpb.Lease };

interface RunningTask {
  readonly key: string;
  readonly lease: taskpb.Lease;
  /** When it came. */
  readonly beganMs: number;
  readonly heartbeatEveryMs: number;
  nextBeatMs: number;
  progress: taskpb.TaskProgress | undefined;
  /** Ends the work, whatever it does. */
  stop: () => void;
  /** Forgets the time limit of the attempt. */
  cancelLimit: () => void;
}

export class TaskWorker {
  readonly workerId: string;
  /** Tasks that ended, whatever they brought. */
  readonly tally = { succeeded: 0, failed: 0, stopped: 0 };
  readonly #open: () => Stream;
  readonly #options: WorkerOptions;
  readonly #timer: Timer;
  readonly #capacity: number;
  readonly #functions = new Map<string, Handler>();
  readonly #modules = new Map<string, HandlerThreads>();
  readonly #threads: HandlerThreads[] = [];
  readonly #loading: Promise<void>[] = [];
  readonly #running = new Map<string, RunningTask>();
  /** Reports without an answer. */
  readonly #reports = new Map<string, Report>();
  #unsent: Report[] = [];
  #flushing = false;
  #stream: Stream | undefined;
  #connected = false;
  #draining = false;
  #ended: Promise<void> | undefined;
  #ending = false;
  #wakePause: (() => void) | undefined;
  #beat: NodeJS.Timeout | undefined;

  /** @internal Made by TasksClient. @param timer of the time limits of attempts. */
  constructor(open: () => Stream, options: WorkerOptions, timer: Timer = longTimer) {
    this.#open = open;
    this.#options = options;
    this.#timer = timer;
    this.#capacity = options.capacity ?? 10;
    this.workerId = options.workerId ?? `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`.slice(-128);
  }

  /** Runs tasks of the type with a function, in this thread. It is told by its signal when it must stop; nothing can end it. */
  handle(type: string, handler: Handler): this;
  /** Runs tasks of the type with a module, in threads that are ended when a task must stop. */
  handle(type: string, module: { readonly module: string }): this;
  handle(type: string, handler: Handler | { readonly module: string }): this {
    if (this.#ended !== undefined) throw new Error('handlers are to be set before the worker begins');
    if (typeof handler === 'function') this.#functions.set(type, handler);
    else this.#modules.set(type, this.#threadsOf(handler.module));
    return this;
  }

  /** Runs every type that the module exports a handler for, in threads. */
  handleModule(module: string): this {
    const threads = this.#threadsOf(module);
    const loading = threads.types().then((types) => {
      for (const type of types) this.#modules.set(type, threads);
    });
    loading.catch(() => undefined);
    this.#loading.push(loading);
    return this;
  }

  #threadsOf(module: string): HandlerThreads {
    const threads = new HandlerThreads(module, this.#capacity);
    this.#threads.push(threads);
    return threads;
  }

  /** Begins to take tasks; resolves when the server has taken the subscription. Rejects when a module cannot be loaded. */
  async begin(): Promise<void> {
    await Promise.all(this.#loading);
    await new Promise<void>((subscribed) => {
      this.#ended = this.#run(subscribed);
      this.#beat = setInterval(() => this.#sendBeats(), BEAT_MS);
    });
  }

  /** Takes no further tasks; resolves when what runs has ended and is reported. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#write({ draining: true });
    while (this.#running.size + this.#reports.size > 0) await new Promise((resolve) => setTimeout(resolve, BEAT_MS));
    await this.close();
  }

  /** Gives back what runs, at once, and ends; functions are told by their signals. */
  async close(): Promise<void> {
    if (this.#ended === undefined) return;
    for (const running of this.#running.values()) {
      this.#leave(running);
      running.stop();
      this.#report(running.key, { kind: 'returned', lease: running.lease });
    }
    this.#draining = true;
    this.#write({ draining: true });
    // The server answers what it has taken; a server that is away finds out by itself.
    for (let waited = 0; this.#connected && this.#reports.size > 0 && waited < 1_000; waited += BEAT_MS)
      await new Promise((resolve) => setTimeout(resolve, BEAT_MS));
    this.#ending = true;
    clearInterval(this.#beat);
    this.#stream?.end();
    this.#stream?.cancel();
    this.#wakePause?.();
    for (const threads of this.#threads) threads.end();
    await this.#ended;
  }

  // ---- the stream ----

  async #run(subscribed: () => void): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    while (!this.#ending) {
      const wasConnected = await this.#connect(subscribed);
      if (this.#ending) return;
      pauseMs = wasConnected ? FIRST_PAUSE_MS : Math.min(2 * pauseMs, MAXIMUM_PAUSE_MS);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pauseMs);
        this.#wakePause = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** One stream, from its beginning to its end. @returns whether the server took the subscription. */
  #connect(subscribed: () => void): Promise<boolean> {
    return new Promise((resolve) => {
      const stream = this.#open();
      this.#stream = stream;
      let wasConnected = false;
      const end = (error: unknown): void => {
        if (this.#stream !== stream) return;
        this.#stream = undefined;
        this.#connected = false;
        if (error !== undefined && !this.#ending) this.#trouble('the stream to the server was cut', error);
        resolve(wasConnected);
      };
      stream.on('data', (response: taskpb.WorkResponse) => {
        if (response.subscribed) {
          wasConnected = true;
          this.#connected = true;
          this.#resendReports();
          if (this.#draining) this.#write({ draining: true });
          subscribed();
        }
        this.#take(response);
      });
      stream.on('error', end);
      stream.on('end', () => end(undefined));
      const types = [...this.#functions.keys(), ...this.#modules.keys()];
      const held = [...this.#running.values()].map(({ lease }) => lease);
      const { queues } = this.#options;
      this.#writeTo(stream, { subscription: { workerId: this.workerId, queues: [...queues], types, capacity: this.#capacity, held, keepsLimits: true } });
    });
  }

  #take({ tasks, stops, verdicts }: taskpb.WorkResponse): void {
    for (const task of tasks) this.#start(task);
    for (const { lease } of stops) this.#stop(lease);
    for (const { lease, reason } of verdicts) {
      if (lease === undefined) continue;
      const key = keyOf(lease);
      const report = this.#reports.get(key);
      if (report === undefined) continue;
      if (reason !== 'UNAVAILABLE') this.#reports.delete(key);
      else setTimeout(() => this.#reports.has(key) && this.#send(report), REPORT_AGAIN_MS);
    }
  }

  #write(request: Partial<taskpb.WorkRequest>): void {
    if (this.#connected && this.#stream !== undefined) this.#writeTo(this.#stream, request);
  }

  #writeTo(stream: Stream, request: Partial<taskpb.WorkRequest>): void {
    stream.write({ subscription: undefined, heartbeats: [], completions: [], failings: [], returned: [], draining: false, ...request });
  }

  // ---- tasks ----

  #start(assigned: taskpb.AssignedTask): void {
    const lease = { taskId: assigned.taskId, leaseToken: assigned.leaseToken };
    const key = keyOf(lease);
    if (this.#running.has(key) || this.#reports.has(key)) return;
    const task = handlerTaskOf(assigned);
    const now = performance.now();
    const every = assigned.heartbeatEveryMs;
    const running: RunningTask = {
      key,
      lease,
      beganMs: now,
      heartbeatEveryMs: every,
      nextBeatMs: now + every,
      progress: undefined,
      stop: () => undefined,
      cancelLimit: () => undefined,
    };
    this.#running.set(key, running);
    const progress = (done: number, total = 0, text = ''): void => {
      running.progress = { done, total, text };
      // The first one goes at once, the others with the signs of life.
      running.nextBeatMs = Math.min(running.nextBeatMs, performance.now() + Math.min(every, 250));
    };
    // The worker keeps the limit by its own clock, also when it is cut off from the server.
    if (assigned.timeLeftMs > 0) running.cancelLimit = this.#timer(assigned.timeLeftMs, () => this.#endAtLimit(running));
    const threads = this.#modules.get(task.type);
    if (threads === undefined) {
      const context = new FunctionContext(progress);
      running.stop = () => context.stop();
      runFunction(this.#functions.get(task.type), workerTaskOf(task), context, (ended) => this.#finish(running, ended));
    } else {
      const run = threads.run(task, progress);
      running.stop = () => run.stop();
      void run.outcome.then((ended) => this.#finish(running, ended));
    }
  }

  #endAtLimit(running: RunningTask): void {
    const { key, lease } = running;
    this.#stop(lease);
    this.#report(key, { kind: 'failing', failing: { lease, message: '', permanent: false, ranUs: ranUsOf(running), timeLimit: true } });
  }

  #stop(lease: taskpb.Lease | undefined): void {
    const running = lease && this.#running.get(keyOf(lease));
    if (running === undefined) return;
    this.#leave(running);
    this.tally.stopped += 1;
    running.stop();
  }

  /** Runs no more for the worker. @returns whether it did. */
  #leave({ key, cancelLimit }: RunningTask): boolean {
    cancelLimit();
    return this.#running.delete(key);
  }

  #finish(running: RunningTask, { result, failure }: HandlerOutcome): void {
    const { key, lease } = running;
    // A task that was stopped brings nothing any more.
    if (!this.#leave(running)) return;
    const ranUs = ranUsOf(running);
    if (failure === undefined) {
      this.tally.succeeded += 1;
      const wire = result && { body: Buffer.from(result.bytes), contentType: result.contentType };
      this.#report(key, { kind: 'completion', completion: { lease, result: wire, ranUs } });
    } else {
      this.tally.failed += 1;
      this.#trouble(`task ${lease.taskId} failed`, new Error(failure.message));
      const message = failure.message.slice(0, MAXIMUM_MESSAGE_CHARACTERS);
      this.#report(key, { kind: 'failing', failing: { lease, message, permanent: failure.permanent, ranUs, timeLimit: false } });
    }
  }

  // ---- reports ----

  #report(key: string, report: Report): void {
    this.#reports.set(key, report);
    this.#send(report);
  }

  /** What is reported in one round of the event loop goes in one message. */
  #send(report: Report): void {
    this.#unsent.push(report);
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      const reports = this.#unsent;
      this.#unsent = [];
      this.#writeReports(reports);
    });
  }

  /** In as many messages as it takes: together, results may be larger than a message can be. */
  #writeReports(reports: readonly Report[]): void {
    for (const part of partsThatFit(reports)) this.#write(requestOf(part));
  }

  #resendReports(): void {
    const reports = [...this.#reports.values()];
    this.#unsent = [];
    this.#writeReports(reports);
  }

  #sendBeats(): void {
    const now = performance.now();
    const heartbeats: taskpb.Heartbeat[] = [];
    for (const running of this.#running.values()) {
      if (running.nextBeatMs > now) continue;
      running.nextBeatMs = now + running.heartbeatEveryMs;
      heartbeats.push({ lease: running.lease, progress: running.progress });
      running.progress = undefined;
    }
    for (let at = 0; at < heartbeats.length; at += MESSAGE_REPORTS) this.#write({ heartbeats: heartbeats.slice(at, at + MESSAGE_REPORTS) });
  }

  #trouble(what: string, error: unknown): void {
    this.#options.onTrouble?.(what, error);
  }
}

/** What a function is handed beside its task. Its signal is made when the function asks for it: most never do, and it costs more than the rest of a short task. */
class FunctionContext implements HandlerContext {
  #aborting: AbortController | undefined;
  #stopped = false;

  constructor(readonly progress: HandlerContext['progress']) {}

  get signal(): AbortSignal {
    if (this.#aborting === undefined) {
      this.#aborting = new AbortController();
      if (this.#stopped) this.#aborting.abort();
    }
    return this.#aborting.signal;
  }

  stop(): void {
    this.#stopped = true;
    this.#aborting?.abort();
  }
}

/** Field by field: a spread costs more than the rest of a short task. */
function workerTaskOf(task: HandlerTask): WorkerTask {
  const { taskId, queue, type, attempt, payload, contentType, key, labels, parentTaskId, retryOf, scheduleId, scheduledAt } = task;
  const json = (): unknown => JSON.parse(textOf(payload));
  return { taskId, queue, type, attempt, payload, contentType, key, labels, parentTaskId, retryOf, scheduleId, scheduledAt, json };
}

function textOf({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('utf8');
}

/** A function that returns no promise has ended when it returns: a promise would cost more than a short task. */
function runFunction(handler: Handler | undefined, task: WorkerTask, context: HandlerContext, ended: (outcome: HandlerOutcome) => void): void {
  const outcome = outcomeOf(handler, task, context);
  if (outcome instanceof Promise) void outcome.then(ended);
  else ended(outcome);
}

function outcomeOf(handler: Handler | undefined, task: WorkerTask, context: HandlerContext): HandlerOutcome | Promise<HandlerOutcome> {
  try {
    if (handler === undefined) throw new Error(`there is no handler for ${task.type}`);
    const body = handler(task, context);
    return isThenable(body) ? Promise.resolve(body).then(resultOf).catch(failed) : resultOf(body);
  } catch (error) {
    return failed(error);
  }
}

function isThenable(body: ReturnType<Handler>): body is Promise<TaskBody | void> {
  return typeof body === 'object' && body !== null && 'then' in body && typeof body.then === 'function';
}

function resultOf(body: TaskBody | void): HandlerOutcome {
  return { result: body === undefined ? undefined : bodyToWire(body, undefined), failure: undefined };
}

function failed(error: unknown): HandlerOutcome {
  return { result: undefined, failure: failureOf(error) };
}

function ranUsOf({ beganMs }: RunningTask): bigint {
  return BigInt(Math.max(1, Math.round((performance.now() - beganMs) * 1_000)));
}

function partsThatFit(reports: readonly Report[]): Report[][] {
  const parts: Report[][] = [];
  let part: Report[] = [];
  let bytes = 0;
  for (const report of reports) {
    if (part.length === 0) parts.push(part);
    part.push(report);
    bytes += report.kind === 'completion' ? (report.completion.result?.body.length ?? 0) : 0;
    if (bytes < MESSAGE_BYTES && part.length < MESSAGE_REPORTS) continue;
    part = [];
    bytes = 0;
  }
  return parts;
}

function requestOf(reports: readonly Report[]): Partial<taskpb.WorkRequest> {
  const request = { completions: [] as taskpb.Completion[], failings: [] as taskpb.Failing[], returned: [] as taskpb.Lease[] };
  for (const report of reports) {
    switch (report.kind) {
      case 'completion':
        request.completions.push(report.completion);
        break;
      case 'failing':
        request.failings.push(report.failing);
        break;
      case 'returned':
        request.returned.push(report.lease);
        break;
      default:
        report satisfies never;
    }
  }
  return request;
}

function keyOf({ taskId, leaseToken }: taskpb.Lease): string {
  return `${taskId}#${leaseToken}`;
}
