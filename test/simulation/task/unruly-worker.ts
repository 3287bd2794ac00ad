/**
 * A worker that speaks the protocol of workers itself and does what workers should not do: it hangs, falls silent, reports late, twice, against what it
 * said before, or after it was told to stop, gives back, and crashes. It keeps what it was handed and what the server took.
 */
import { taskpb } from '@sluice/protocol/task';
import type { Deployment } from '../world/deployment';
import type { Exchange } from '../world/exchange';
import type { Life } from '../world/life';
import { leaseKey } from './task-model';

const WORK = taskpb.TaskWorkerServiceService.work;
const CAPACITY = 3;
const RECONNECT_US = 100_000;
const RESTART_US = 300_000;
/** A report without a verdict is sent again after so long. */
const REPORT_AGAIN_US = 400_000;

type Manner = 'prompt' | 'slow' | 'hang' | 'silent' | 'twice' | 'contradict' | 'deaf' | 'return' | 'crash' | 'fail';
const MANNERS: readonly Manner[] = ['prompt', 'prompt', 'prompt', 'fail', 'slow', 'hang', 'silent', 'twice', 'contradict', 'deaf', 'return', 'crash'];

export interface TakenReport {
  readonly kind: 'completion' | 'failing' | 'returned';
  readonly result: string;
}

/** What workers were handed and what was taken from them; kept beyond their crashes. */
export interface WorkerNotes {
  /** Attempts that were handed out, by task and token, and the workers that had them. */
  readonly handed: Map<string, { readonly taskId: string; readonly workerId: string }>;
  /** Reports whose verdict said that they are recorded. */
  readonly taken: Map<string, TakenReport>;
}

interface Attempt {
  readonly lease: taskpb.Lease;
  readonly manner: Manner;
  readonly heartbeatEveryMs: number;
  isStopped: boolean;
  isOver: boolean;
}

type Report = TakenReport & { readonly lease: taskpb.Lease };

export class UnrulyWorker {
  #life: Life;
  #lives = 0;
  #exchange: Exchange | undefined;
  readonly #attempts = new Map<string, Attempt>();
  readonly #reports = new Map<string, Report>();
  #stopped = false;

  constructor(
    private readonly deployment: Deployment,
    private readonly name: string,
    private readonly queues: readonly string[],
    private readonly notes: WorkerNotes,
  ) {
    this.#life = deployment.process(name);
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    this.#exchange?.cancel();
    this.#life.end();
  }

  get #workerId(): string {
    return `${this.name}.${this.#lives}`;
  }

  // ---- the stream ----

  #connect(): void {
    const life = this.#life;
    const exchange = this.deployment.exchange(life, 'command', WORK.path, {
      message: (bytes) => this.#take(taskpb.WorkResponse.decode(bytes)),
      ended: () => this.#after(RECONNECT_US, () => this.#connect()),
    });
    this.#exchange = exchange;
    const held = [...this.#attempts.values()].filter(({ isOver }) => !isOver).map(({ lease }) => lease);
    this.#send({ subscription: { workerId: this.#workerId, queues: [...this.queues], types: [], capacity: CAPACITY, held, keepsLimits: false } });
    for (const report of this.#reports.values()) this.#send(requestOf(report));
  }

  #send(request: Partial<taskpb.WorkRequest>): void {
    this.#exchange?.send(taskpb.WorkRequest.encode(taskpb.WorkRequest.fromPartial(request)).finish());
  }

  /** In this life only. */
  #after(delayUs: number, run: () => void): void {
    const life = this.#life;
    this.deployment.world.timeline.schedule(delayUs, () => life.continue(() => (this.#stopped ? undefined : run())));
  }

  #take({ tasks, stops, verdicts }: taskpb.WorkResponse): void {
    for (const task of tasks) this.#start(task);
    for (const { lease } of stops) {
      const attempt = lease && this.#attempts.get(leaseKey(lease.taskId, lease.leaseToken));
      if (attempt !== undefined) attempt.isStopped = true;
    }
    for (const verdict of verdicts) this.#judged(verdict);
  }

  // ---- attempts ----

  #start({ taskId, leaseToken, heartbeatEveryMs }: taskpb.AssignedTask): void {
    const key = leaseKey(taskId, leaseToken);
    const { world } = this.deployment;
    const known = this.notes.handed.get(key);
    if (known !== undefined && known.workerId !== this.#workerId) world.breach(`${key} was handed to ${known.workerId} and to ${this.#workerId}`);
    if (this.#attempts.has(key)) return;
    this.notes.handed.set(key, { taskId, workerId: this.#workerId });
    const { random } = this.#life;
    const manner = world.isCalm ? 'prompt' : random.pick(MANNERS);
    world.trace.note(this.#workerId, `starts ${key} (${manner})`);
    const attempt: Attempt = { lease: { taskId, leaseToken }, manner, heartbeatEveryMs, isStopped: false, isOver: false };
    this.#attempts.set(key, attempt);
    if (manner !== 'silent') this.#beat(attempt);
    const runsForUs = this.#runsForUs(manner);
    if (Number.isFinite(runsForUs)) this.#after(runsForUs, () => this.#finish(attempt));
  }

  #runsForUs(manner: Manner): number {
    const { random } = this.#life;
    switch (manner) {
      case 'hang':
        return Number.POSITIVE_INFINITY;
      case 'slow':
        return random.between(500_000, 3_000_000);
      case 'silent':
      case 'deaf':
        return random.between(400_000, 2_500_000);
      case 'prompt':
      case 'fail':
      case 'twice':
      case 'contradict':
      case 'return':
      case 'crash':
        return random.between(1_000, 250_000);
      default:
        return manner satisfies never;
    }
  }

  #beat(attempt: Attempt): void {
    this.#after(attempt.heartbeatEveryMs * 1_000, () => {
      if (attempt.isOver || (attempt.isStopped && attempt.manner !== 'deaf')) return;
      const progress = this.#life.random.chance(0.3) ? { done: 1, total: 2, text: 'half' } : undefined;
      this.#send({ heartbeats: [{ lease: attempt.lease, progress }] });
      this.#beat(attempt);
    });
  }

  #finish(attempt: Attempt): void {
    const { manner, lease } = attempt;
    attempt.isOver = true;
    if (manner === 'crash') return this.#crash();
    // Whoever obeys says nothing about what it was told to stop.
    if (attempt.isStopped && manner !== 'deaf' && manner !== 'silent') return undefined;
    const result = `${this.#workerId} did ${lease.taskId} by ${lease.leaseToken}`;
    if (manner === 'fail') return this.#report({ kind: 'failing', lease, result: '' });
    if (manner === 'return') return this.#report({ kind: 'returned', lease, result: '' });
    this.#report({ kind: 'completion', lease, result });
    if (manner === 'twice') this.#send(requestOf({ kind: 'completion', lease, result }));
    return undefined;
  }

  #report(report: Report): void {
    const key = leaseKey(report.lease.taskId, report.lease.leaseToken);
    this.#reports.set(key, report);
    this.#send(requestOf(report));
    const again = (): void => {
      if (this.#reports.get(key) !== report) return;
      this.#send(requestOf(report));
      this.#after(REPORT_AGAIN_US, again);
    };
    this.#after(REPORT_AGAIN_US, again);
  }

  #judged({ lease, reason }: taskpb.ReportVerdict): void {
    if (lease === undefined || reason === 'UNAVAILABLE') return;
    const key = leaseKey(lease.taskId, lease.leaseToken);
    const report = this.#reports.get(key);
    if (report === undefined) return;
    this.#reports.delete(key);
    this.deployment.world.trace.note(this.#workerId, `${report.kind} of ${key}: ${reason === '' ? 'recorded' : reason}`);
    if (reason === '') this.notes.taken.set(key, report);
    if (this.#attempts.get(key)?.manner !== 'contradict' || report.kind !== 'completion') return;
    // What was completed fails now: only one of the two can be recorded. Its verdict cannot be told from another one of the completion, which may have been sent twice.
    this.#send(requestOf({ kind: 'failing', lease, result: '' }));
  }

  /** The process ends; another one begins, and what the first one had sent or would send arrives late. */
  #crash(): void {
    const { world } = this.deployment;
    const left = [...this.#attempts.values()].filter(({ isOver, isStopped }) => !isOver && !isStopped);
    world.trace.note(this.#workerId, 'crashes');
    this.#life.end();
    this.#attempts.clear();
    this.#reports.clear();
    this.#exchange = undefined;
    world.timeline.schedule(RESTART_US, () => {
      if (this.#stopped) return;
      this.#life = this.#life.next();
      this.#lives += 1;
      this.#connect();
      for (const { lease } of left) {
        // A process that was taken for dead is not: it says what it did under its old lease.
        const result = `a ghost did ${lease.taskId} by ${lease.leaseToken}`;
        this.#after(this.#life.random.between(1_000, 2_000_000), () => this.#report({ kind: 'completion', lease, result }));
      }
    });
  }
}

function requestOf({ kind, lease, result }: Report): Partial<taskpb.WorkRequest> {
  switch (kind) {
    case 'completion':
      return { completions: [{ lease, result: { body: Buffer.from(result, 'utf8'), contentType: 'text/plain' }, ranUs: 0n }] };
    case 'failing':
      return { failings: [{ lease, message: 'as it was drawn', permanent: false, ranUs: 0n, timeLimit: false }] };
    case 'returned':
      return { returned: [lease] };
    default:
      return kind satisfies never;
  }
}
