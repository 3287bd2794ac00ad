/**
 * Snapshots of the queues of a partition, taken in steps while turns go on: heads at the beginning, then the tasks, slot by slot, then the ends that
 * the queue remembers. A task that changes before its step comes is kept as it was. An end that newer ends push out before its step comes is left
 * out: the owner that loads the snapshot replays the newer ones, and they would push it out there, too.
 */
import { FREE, type TaskPolicy, type TaskQueue, type TaskRecord } from '@sluice/domain/task';
import type { SnapshotSession } from '@sluice/engine';
import { taskpb } from '@sluice/protocol/task';
import { OUTCOME_TO_PROTO, OUTCOMES } from './proto-names';
import type { QueueEntry } from './queue-entry';
import type { QueuesState } from './queues-state';
import { policyOf, queueLimitsOf } from './task-shape';

/** Formed in one step. */
const ROWS_PER_BLOCK = 1_024;

/** One queue as it was when the snapshot began. */
class QueueCut {
  private slot = 0;
  private readonly used: number;
  /** Tasks that changed since, by slot; undefined: there was none. */
  private readonly before = new Map<number, TaskRecord | undefined>();
  private head: taskpb.QueueHead | undefined;
  /** Position of the next end. */
  private ended = 0;
  private readonly endedTotal: number;

  constructor(private readonly entry: QueueEntry) {
    const { queue } = entry;
    this.used = queue.tasks.used;
    this.endedTotal = queue.ends.total;
    this.head = headOf(entry);
    queue.beforeChange = (slot, wasFree) => {
      if (slot < this.slot || slot >= this.used || this.before.has(slot)) return;
      this.before.set(slot, wasFree ? undefined : recordAt(queue, slot));
    };
  }

  next(): taskpb.QueueBlock | undefined {
    const { queue } = this.entry;
    if (this.head === undefined && this.slot === this.used) return this.nextEnds();
    const rows = new Rows();
    const to = Math.min(this.slot + ROWS_PER_BLOCK, this.used);
    for (; this.slot < to; this.slot += 1) {
      const task = this.before.has(this.slot) ? this.before.get(this.slot) : recordAt(queue, this.slot);
      this.before.delete(this.slot);
      if (task !== undefined) rows.add(task);
    }
    const { head } = this;
    this.head = undefined;
    return { queue: queue.name, head, tasks: rows.tasks, policies: rows.policies, ends: undefined };
  }

  private nextEnds(): taskpb.QueueBlock | undefined {
    const { name, ends } = this.entry.queue;
    const from = Math.max(this.ended, ends.oldest);
    const to = Math.min(from + ROWS_PER_BLOCK, this.endedTotal);
    if (from >= to) return undefined;
    const block: taskpb.EndedAttempts = { numbers: [], attempts: [], startedSequences: [], outcomes: [] };
    for (this.ended = from; this.ended < to; this.ended += 1) {
      const { number, attempt, sequence, outcome } = ends.at(this.ended);
      block.numbers.push(BigInt(number));
      block.attempts.push(attempt);
      block.startedSequences.push(BigInt(sequence));
      block.outcomes.push(OUTCOME_TO_PROTO[outcome]);
    }
    return { queue: name, head: undefined, tasks: [], policies: [], ends: block };
  }

  end(): void {
    this.entry.queue.beforeChange = undefined;
  }
}

export class QueuesSnapshot implements SnapshotSession {
  private readonly cuts: QueueCut[];
  private at = 0;

  constructor(entries: readonly QueueEntry[]) {
    this.cuts = entries.map((entry) => new QueueCut(entry));
  }

  next(): Uint8Array | undefined {
    for (; this.at < this.cuts.length; this.at += 1) {
      const block = (this.cuts[this.at] as QueueCut).next();
      if (block !== undefined) return taskpb.QueueBlock.encode(block).finish();
    }
    return undefined;
  }

  end(): void {
    for (const cut of this.cuts) cut.end();
  }
}

function recordAt({ tasks }: TaskQueue, slot: number): TaskRecord | undefined {
  return tasks.phases[slot] === FREE ? undefined : tasks.recordOf(slot);
}

/** Rows of a block; limits and retries stand in it once. */
class Rows {
  readonly tasks: taskpb.TaskRow[] = [];
  readonly policies: taskpb.PolicyRow[] = [];
  private readonly positions = new Map<TaskPolicy, number>();

  add(task: TaskRecord): void {
    const { number, createdAtUs, createdSequence, startAtUs, firstStartedAtUs, startedAtUs, startedSequence, policy, ...plain } = task;
    this.tasks.push({
      ...plain,
      number: BigInt(number),
      startAtUs: BigInt(startAtUs),
      policy: this.position(policy),
      createdAtUs: BigInt(createdAtUs),
      createdSequence: BigInt(createdSequence),
      firstStartedAtUs: BigInt(firstStartedAtUs),
      startedAtUs: BigInt(startedAtUs),
      startedSequence: BigInt(startedSequence),
    });
  }

  private position(policy: TaskPolicy): number {
    let position = this.positions.get(policy);
    if (position === undefined) {
      position = this.policies.length;
      this.positions.set(policy, position);
      this.policies.push({ limits: { ...policy.limits }, retry: { ...policy.retry } });
    }
    return position;
  }
}

function headOf({ queue, limits, scheduleSpecs, decidedSequence, creations }: QueueEntry): taskpb.QueueHead {
  const starts: taskpb.StartsRow[] = [];
  const add = (type: string, key: string, times: readonly number[]): void => {
    if (times.length > 0) starts.push({ type, key, startsUs: times.map(BigInt) });
  };
  add('', '', queue.gate.recordedStarts());
  for (const type of queue.types.values()) add(type.name, '', type.gate.recordedStarts());
  for (const key of queue.keys.values()) add('', key.key, key.gate.recordedStarts());
  return {
    nextNumber: BigInt(queue.nextNumber),
    paused: queue.paused,
    purgedUpTo: BigInt(queue.purgedUpTo),
    limits,
    schedules: [...queue.schedules.values()].map(({ name, paused, nextRunsUs, lastNumber, buffered }) => ({
      name,
      spec: scheduleSpecs.get(name),
      paused,
      nextRunsUs: nextRunsUs.map(BigInt),
      lastNumber: BigInt(lastNumber),
      buffered,
    })),
    decidedSequence: BigInt(decidedSequence),
    starts,
    creations: Buffer.from(creations.toBytes()),
  };
}

/** Takes a block of a snapshot in. Blocks of a queue come in their order. */
export function restoreBlock(state: QueuesState, bytes: Uint8Array): void {
  const { queue: name, head, tasks, policies, ends } = taskpb.QueueBlock.decode(bytes);
  const entry = state.entry(name);
  const { queue } = entry;
  if (head !== undefined) restoreHead(state, entry, head);
  const known = policies.map((policy) => policyOf(policy));
  for (const row of tasks) {
    const policy = known[row.policy];
    if (policy === undefined) throw new Error(`task ${name}/${row.number}: its limits are not in the snapshot`);
    queue.restore({
      number: Number(row.number),
      type: row.type,
      priority: row.priority,
      key: row.key,
      startAtUs: Number(row.startAtUs),
      policy,
      dedupeKey: row.dedupeKey,
      createdAtUs: Number(row.createdAtUs),
      createdSequence: Number(row.createdSequence),
      running: row.running,
      attempts: row.attempts,
      failures: row.failures,
      firstStartedAtUs: Number(row.firstStartedAtUs),
      startedAtUs: Number(row.startedAtUs),
      startedSequence: Number(row.startedSequence),
      workerId: row.workerId,
      keepsLimits: row.keepsLimits,
    });
  }
  if (ends !== undefined) restoreEnds(queue, ends);
}

function restoreEnds({ name, ends }: TaskQueue, { numbers, attempts, startedSequences, outcomes }: taskpb.EndedAttempts): void {
  for (const [at, number] of numbers.entries()) {
    const attempt = attempts[at];
    const sequence = startedSequences[at];
    const outcome = OUTCOMES[outcomes[at] ?? 0];
    if (attempt === undefined || sequence === undefined || outcome === undefined)
      throw new Error(`task ${name}/${number}: its end in the snapshot is not whole`);
    ends.add({ number: Number(number), attempt, sequence: Number(sequence) }, outcome);
  }
}

function restoreHead(state: QueuesState, entry: QueueEntry, head: taskpb.QueueHead): void {
  const { queue } = entry;
  const nowhere = { sequence: 0, committedAtUs: 0 };
  entry.limits = head.limits;
  if (head.limits !== undefined) queue.evolve({ kind: 'configured', limits: queueLimitsOf(head.limits) }, nowhere);
  queue.nextNumber = Number(head.nextNumber);
  queue.paused = head.paused;
  if (head.purgedUpTo > 0n) queue.evolve({ kind: 'purged', upToNumber: Number(head.purgedUpTo) }, nowhere);
  entry.decidedSequence = Number(head.decidedSequence);
  entry.creations.restore(head.creations);
  for (const schedule of head.schedules) state.addSchedule(entry, schedule);
  for (const { type, key, startsUs } of head.starts) queue.restoreStarts(type, key, startsUs.map(Number));
}
