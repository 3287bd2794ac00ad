/**
 * A worker's stream: tasks out, reports in.
 *
 *   subscribed ──room, and something waits──▶ take ──▶ tasks sent, held ──report, stop──▶ room again
 *        └──draining──▶ no further tasks; ends when nothing is held
 *
 * Each partition of the subscription has a loop of its own. The room for tasks is one for all of them: what one loop takes it reserves
 * first. A stream that is cut leaves its leases in force: the worker may come back and go on with them.
 */
import { taskNameOf } from '@sluice/domain/task';
import type { Clock } from '@sluice/ports';
import { type taskpb } from '@sluice/protocol/task';
import { checkText, invalidRequest, type CallContext, type Send } from '@sluice/service';
import { MAXIMUM_CAPACITY, MAXIMUM_ID_BYTES, MAXIMUM_QUEUES_PER_WORKER, MAXIMUM_REPORT_PARTS, MAXIMUM_TAKE, MAXIMUM_TYPES_PER_WORKER } from './limits';
import { leasesOf } from './queue-work';
import type { StartedTasks } from './started-tasks';
import type { WorkerQueues } from './worker-queues';

/** Before a partition whose owner does not answer is asked again. */
const FIRST_PAUSE_MS = 50;
const MAXIMUM_PAUSE_MS = 2_000;
/** Without news a loop looks whether its partition is still where it was. */
const LOOK_MS = 5_000;
/** Messages whose answer is under way, and what they report in all; a worker that sends more is read from more slowly. */
const MAXIMUM_REPORTS = 64;
const MAXIMUM_REPORTED_PARTS = 20_000;

export interface WorkStreamDependencies {
  readonly queues: WorkerQueues;
  readonly clock: Clock;
  partitionOf(queue: string): number;
}

export async function serveWorkStream(
  dependencies: WorkStreamDependencies,
  requests: AsyncIterable<taskpb.WorkRequest>,
  send: Send<taskpb.WorkResponse>,
  call: CallContext,
): Promise<void> {
  let stream: WorkStream | undefined;
  try {
    for await (const request of requests) {
      if (stream === undefined) {
        stream = new WorkStream(dependencies, checked(request.subscription), send, call);
        stream.begin();
      } else if (request.subscription !== undefined) throw invalidRequest('subscription', 'is in another message than the first');
      await stream.take(request);
      if (stream.isDone) return;
    }
  } finally {
    await stream?.end();
  }
}

function checked(subscription: taskpb.Subscription | undefined): taskpb.Subscription {
  if (subscription === undefined) throw invalidRequest('subscription', 'is missing in the first message');
  const { workerId, queues, types, capacity, held } = subscription;
  checkText(workerId, 'subscription.worker_id', 1, MAXIMUM_ID_BYTES);
  if (queues.length < 1 || queues.length > MAXIMUM_QUEUES_PER_WORKER)
    throw invalidRequest('subscription.queues', `has ${queues.length} queues; it must have 1 to ${MAXIMUM_QUEUES_PER_WORKER}`);
  for (const [at, queue] of queues.entries()) checkText(queue, `subscription.queues[${at}]`, 1, MAXIMUM_ID_BYTES);
  if (types.length > MAXIMUM_TYPES_PER_WORKER) throw invalidRequest('subscription.types', `has ${types.length} types`);
  for (const [at, type] of types.entries()) checkText(type, `subscription.types[${at}]`, 1, MAXIMUM_ID_BYTES);
  if (held.length > MAXIMUM_CAPACITY) throw invalidRequest('subscription.held', `has ${held.length} leases; ${MAXIMUM_CAPACITY} are the most`);
  if (capacity < 1 || capacity > MAXIMUM_CAPACITY) throw invalidRequest('subscription.capacity', `is not in 1 to ${MAXIMUM_CAPACITY}`);
  return subscription;
}

interface Held {
  hasEnded: boolean;
  readonly forget: () => void;
}

class WorkStream {
  /** By task id and token. */
  private readonly held = new Map<string, Held>();
  /** Of those, attempts that the worker has ended: they take no room of it while their verdicts are under way. */
  private endedHeld = 0;
  private readonly partitions = new Map<number, string[]>();
  private readonly ending = new AbortController();
  private reserved = 0;
  /** Most reports are about the same queue. */
  private lastQueue = '';
  private lastPartition = 0;
  private draining = false;
  private readonly loops: Promise<void>[] = [];
  private readonly reporting = new Set<Promise<unknown>>();
  private reportedParts = 0;
  private roomWaiters: (() => void)[] = [];
  private sending: Promise<void> = Promise.resolve();

  constructor(
    private readonly dependencies: WorkStreamDependencies,
    private readonly subscription: taskpb.Subscription,
    private readonly send: Send<taskpb.WorkResponse>,
    private readonly call: CallContext,
  ) {
    for (const queue of new Set(subscription.queues)) {
      const partition = dependencies.partitionOf(queue);
      const queues = this.partitions.get(partition);
      if (queues === undefined) this.partitions.set(partition, [queue]);
      else queues.push(queue);
    }
    for (const lease of subscription.held) this.hold(lease);
    call.signal.addEventListener('abort', () => this.ending.abort());
  }

  get isDone(): boolean {
    return this.draining && this.held.size === 0 && this.reserved === 0;
  }

  begin(): void {
    void this.answer({ subscribed: true });
    for (const [partition, queues] of this.partitions) this.loops.push(this.loop(partition, queues));
  }

  async end(): Promise<void> {
    this.ending.abort();
    this.roomChanged();
    for (const { forget } of this.held.values()) forget();
    await Promise.all(this.loops);
    await this.sending;
  }

  // ---- reports ----

  async take(report: taskpb.WorkRequest): Promise<void> {
    const parts = report.heartbeats.length + report.completions.length + report.failings.length + report.returned.length;
    if (parts > MAXIMUM_REPORT_PARTS) throw invalidRequest('heartbeats', `and reports are ${parts}; a message may have ${MAXIMUM_REPORT_PARTS} of them`);
    if (report.draining) this.draining = true;
    const byPartition = new Map<number, taskpb.WorkRequest>();
    const partOf = (lease: taskpb.Lease | undefined): taskpb.WorkRequest | undefined => {
      const name = lease && taskNameOf(lease.taskId);
      if (name === undefined) return undefined;
      const partition = this.partitionOf(name.queue);
      let part = byPartition.get(partition);
      if (part === undefined) {
        part = { subscription: undefined, heartbeats: [], completions: [], failings: [], returned: [], draining: false };
        byPartition.set(partition, part);
      }
      return part;
    };
    for (const heartbeat of report.heartbeats) partOf(heartbeat.lease)?.heartbeats.push(heartbeat);
    for (const completion of report.completions) partOf(completion.lease)?.completions.push(completion);
    for (const failing of report.failings) partOf(failing.lease)?.failings.push(failing);
    for (const lease of report.returned) partOf(lease)?.returned.push(lease);
    // Reports of one message are answered together; the next message is read meanwhile, as far as there is room for answers.
    const answered = [...byPartition].map(([partition, part]) => this.report(partition, part));
    // What is taken in their place is started in the same turn.
    this.noteEnded(leasesOf(report));
    const all = Promise.all(answered);
    this.reporting.add(all);
    this.reportedParts += parts;
    void all.finally(() => {
      this.reporting.delete(all);
      this.reportedParts -= parts;
    });
    if (this.draining) await all;
    while (this.reporting.size >= MAXIMUM_REPORTS || this.reportedParts >= MAXIMUM_REPORTED_PARTS) await Promise.race(this.reporting);
  }

  private partitionOf(queue: string): number {
    if (queue !== this.lastQueue) {
      this.lastQueue = queue;
      this.lastPartition = this.dependencies.partitionOf(queue);
    }
    return this.lastPartition;
  }

  private async report(partition: number, part: taskpb.WorkRequest): Promise<void> {
    const { queues } = this.dependencies;
    try {
      const { verdicts, stops, heard } = await queues.report(partition, part, this.call);
      for (const { lease, reason } of verdicts) if (reason !== 'UNAVAILABLE') this.release(lease);
      for (const { lease } of stops) this.release(lease);
      await this.answer({ verdicts, stops, heard });
    } catch {
      await this.answer({ verdicts: leasesOf(part).map((lease) => ({ lease, reason: 'UNAVAILABLE' })) });
    }
  }

  // ---- tasks ----

  private async loop(partition: number, queues: readonly string[]): Promise<void> {
    const types = this.subscription.types.length === 0 ? undefined : this.subscription.types;
    let pauseMs = FIRST_PAUSE_MS;
    while (!this.isOver && !this.draining) {
      if (this.room <= 0) {
        await this.untilRoom();
        continue;
      }
      try {
        const offered = { tasks: 0 };
        const ready = await this.awaitTasks(partition, queues, types, offered);
        if (typeof ready !== 'boolean') {
          await this.handOut(ready.pages(), offered.tasks);
        } else {
          this.unreserve(offered.tasks);
          if (ready && this.room > 0 && !this.draining && !this.isOver) await this.takeTasks(partition, queues, types);
        }
        pauseMs = FIRST_PAUSE_MS;
      } catch {
        // The owner is changing, or does not answer.
        await this.pause(pauseMs);
        pauseMs = Math.min(2 * pauseMs, MAXIMUM_PAUSE_MS);
      }
    }
  }

  /** @param offered gets how many tasks room was reserved for while it waited. */
  private async awaitTasks(
    partition: number,
    queues: readonly string[],
    types: readonly string[] | undefined,
    offered: { tasks: number },
  ): Promise<boolean | StartedTasks> {
    const { clock } = this.dependencies;
    const { workerId, keepsLimits } = this.subscription;
    const reserve = (maximum: number): number => {
      offered.tasks = this.draining || this.isOver ? 0 : Math.max(0, Math.min(this.room, maximum));
      this.reserved += offered.tasks;
      return offered.tasks;
    };
    const waiting = new AbortController();
    const end = (): void => waiting.abort();
    this.ending.signal.addEventListener('abort', end, { once: true });
    const cancelTimer = clock.after(LOOK_MS, end);
    try {
      return await this.dependencies.queues.awaitTasks(partition, { queues, types }, this.call, waiting.signal, { workerId, keepsLimits, reserve });
    } finally {
      cancelTimer();
      this.ending.signal.removeEventListener('abort', end);
    }
  }

  private async takeTasks(partition: number, queues: readonly string[], types: readonly string[] | undefined): Promise<void> {
    const maximumTasks = Math.min(this.room, MAXIMUM_TAKE);
    this.reserved += maximumTasks;
    const { workerId, keepsLimits } = this.subscription;
    const take = { queues, types, maximumTasks, workerId, keepsLimits };
    await this.handOut(this.dependencies.queues.take(partition, take, this.call), maximumTasks);
  }

  /** Sends tasks as they come. @param room reserved for them. */
  private async handOut(pages: AsyncIterable<readonly taskpb.AssignedTask[]>, room: number): Promise<void> {
    let reserved = room;
    try {
      for await (const tasks of pages) {
        for (const { taskId, leaseToken } of tasks) this.hold({ taskId, leaseToken });
        this.reserved -= tasks.length;
        reserved -= tasks.length;
        await this.answer({ tasks: [...tasks] });
      }
    } finally {
      this.unreserve(reserved);
    }
  }

  private stop(stops: readonly taskpb.Stop[]): void {
    if (stops.length === 0) return;
    for (const { lease } of stops) this.release(lease);
    void this.answer({ stops: [...stops] });
  }

  // ---- room ----

  private get room(): number {
    return this.subscription.capacity - (this.held.size - this.endedHeld) - this.reserved;
  }

  private unreserve(tasks: number): void {
    this.reserved -= tasks;
    if (tasks > 0) this.roomChanged();
  }

  private get isOver(): boolean {
    return this.ending.signal.aborted;
  }

  private hold(lease: taskpb.Lease): void {
    this.held.set(keyOf(lease), { hasEnded: false, forget: this.dependencies.queues.onStop(lease, (stop) => this.stop([stop])) });
  }

  private release(lease: taskpb.Lease | undefined): void {
    const held = lease && this.held.get(keyOf(lease));
    if (lease === undefined || held === undefined) return;
    held.forget();
    this.held.delete(keyOf(lease));
    if (held.hasEnded) this.endedHeld -= 1;
    else this.roomChanged();
  }

  /** The worker reports their ends. */
  private noteEnded(leases: readonly (taskpb.Lease | undefined)[]): void {
    for (const lease of leases) {
      const held = lease && this.held.get(keyOf(lease));
      if (held === undefined || held.hasEnded) continue;
      held.hasEnded = true;
      this.endedHeld += 1;
    }
    this.roomChanged();
  }

  /** Resolves when there may be room again, or the stream ends. */
  private untilRoom(): Promise<void> {
    return new Promise((resolve) => this.roomWaiters.push(resolve));
  }

  private roomChanged(): void {
    const waiters = this.roomWaiters;
    this.roomWaiters = [];
    for (const waiter of waiters) waiter();
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        cancel();
        this.ending.signal.removeEventListener('abort', finish);
        resolve();
      };
      const cancel = this.dependencies.clock.after(ms, finish);
      this.ending.signal.addEventListener('abort', finish);
    });
  }

  private answer(part: Partial<taskpb.WorkResponse>): Promise<void> {
    const response = { subscribed: false, tasks: [], stops: [], verdicts: [], heard: [], ...part };
    this.sending = this.sending.then(async () => {
      if (!this.call.ended) await this.send(response);
    });
    // The caller reads nothing, or has gone: the call ends by itself.
    this.sending.catch(() => this.ending.abort());
    return this.sending.catch(() => undefined);
  }
}

function keyOf({ taskId, leaseToken }: taskpb.Lease): string {
  return `${taskId}#${leaseToken}`;
}
