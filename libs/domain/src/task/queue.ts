/**
 * Queue: the aggregate behind tasks. It knows every task that has not ended, in columns, and decides alone who runs next, so that
 * priorities, serial keys, concurrency and rates are exact.
 *
 *   submitted ──start at──▶ key (its first one) ──▶ heap of its type ──▶ started ──▶ ended
 *                  ▲                                                        │
 *                  └────────────────────pause──────── failed, to be tried again
 *
 * Heaps keep what may have become invalid until it comes to the top, and are packed when most of them is. What follows from the time alone
 * (a delay is over) is no event: every instance finds it by itself.
 */
import { DueHeap } from './due-heap';
import { KeyLane, StartGate, TypeLane } from './lanes';
import { NO_QUEUE_LIMITS, NO_TYPE_LIMITS, type QueueLimits } from './queue-limits';
import { isSameRate } from './rate-window';
import type { ReadyHeap } from './ready-heap';
import type { Schedule } from './schedule';
import { RecentEnds } from './recent-ends';
import { DEFAULT_POLICY, type NewTask, type TaskPolicy, type TaskRecord } from './task';
import { DELAYED, FREE, READY, RUNNING, TaskColumns } from './task-columns';
import type { LeaseName } from './task-id';

/** Kinds of what is due. */
export const DUE = { READY: 1, SUBMIT_TO_START: 2, START_TO_FINISH: 3, SUBMIT_TO_FINISH: 4, HEARTBEAT: 5, KEY_OPENS: 6 } as const;

/** Attempts that ended lately, so that a report that comes twice is told from one that comes too late. */
const RECENT_ENDS = 16_384;
/** A heap is packed when it has more than twice what can be valid in it, and so many more. */
const STALE_ENTRIES = 4_096;
/** Entries that a task can have in the heap of what is due. */
const DUES_PER_TASK = 4;
const INTERNED_POLICIES = 4_096;

/**
 * A worker that keeps limits by its own clock has them from when it has the task. The owner ends an attempt of it so much later: the way to the worker
 * and back may take that long.
 */
const WORKER_ALLOWANCE_US = 2_000_000;

/** What is known of an attempt under way. */
type StartedAttempt = Pick<TaskRecord, 'startedAtUs' | 'startedSequence' | 'workerId' | 'keepsLimits'>;

export type AttemptOutcome = 'SUCCEEDED' | 'FAILED' | 'CANCELLED' | 'RETURNED';

export type QueueEvent =
  | { readonly kind: 'created'; readonly number: number; readonly task: NewTask }
  /** @property toBeHandedOut the limit of the attempt counts from its hand-out, which is still to come. */
  | {
      readonly kind: 'started';
      readonly number: number;
      readonly attempt: number;
      readonly workerId: string;
      readonly keepsLimits: boolean;
      readonly toBeHandedOut?: boolean;
    }
  /** @property retryAtUs when the next attempt may start; 0: the task has ended. */
  | { readonly kind: 'attemptEnded'; readonly number: number; readonly attempt: number; readonly outcome: AttemptOutcome; readonly retryAtUs: number }
  /** It ended without an attempt under way. */
  | { readonly kind: 'ended'; readonly number: number }
  | { readonly kind: 'configured'; readonly limits: QueueLimits }
  | { readonly kind: 'paused'; readonly paused: boolean }
  | { readonly kind: 'purged'; readonly upToNumber: number };

/** The commit that records an event. */
export interface CommitPlace {
  readonly sequence: number;
  readonly committedAtUs: number;
}

export class TaskQueue {
  nextNumber = 1;
  paused = false;
  /** Tasks up to this number that wait are not started any more. */
  purgedUpTo = 0;
  /** Where the search for purged tasks goes on; -1: there are none. */
  purgeSlot = -1;
  limits: QueueLimits = NO_QUEUE_LIMITS;
  readonly tasks = new TaskColumns();
  readonly types = new Map<string, TypeLane>();
  readonly keys = new Map<string, KeyLane>();
  readonly gate = new StartGate(0, undefined);
  readonly due = new DueHeap();
  readonly schedules = new Map<string, Schedule>();
  /** Called before a slot changes, while a snapshot is being taken. */
  beforeChange: ((slot: number, wasFree: boolean) => void) | undefined;
  /** Workers are not taken for lost before their heartbeat limit has passed from here: the owner was another one before. Not recorded. */
  heardFloorUs = 0;
  /** Keys that were left when those without tasks were dropped last. */
  private keysKept = 0;
  private readonly dedupes = new Map<string, number>();
  private readonly policies = new Map<string, TaskPolicy>();
  /** Snapshots keep them. */
  readonly ends = new RecentEnds(RECENT_ENDS);

  constructor(readonly name: string) {}

  /** Number of the task with the dedupe key that has not ended; 0: none. */
  taskWithDedupeKey(dedupeKey: string): number {
    return this.dedupes.get(dedupeKey) ?? 0;
  }

  /** How the attempt ended, if that is not long ago. */
  endOf(lease: LeaseName): AttemptOutcome | undefined {
    return this.ends.outcomeOf(lease);
  }

  // ---- evolve ----

  evolve(event: QueueEvent, place: CommitPlace): void {
    switch (event.kind) {
      case 'created':
        return this.create(event.number, event.task, place);
      case 'started':
        return this.start(event, place);
      case 'attemptEnded':
        return this.endAttempt(event, place);
      case 'ended':
        return this.end(this.slotOf(event.number));
      case 'configured':
        return this.configure(event.limits, place.committedAtUs);
      case 'paused':
        this.paused = event.paused;
        return undefined;
      case 'purged':
        this.purgedUpTo = event.upToNumber;
        this.purgeSlot = 0;
        return undefined;
      default:
        return event satisfies never;
    }
  }

  private create(number: number, task: NewTask, { sequence, committedAtUs }: CommitPlace): void {
    this.nextNumber = number + 1;
    const slot = this.enter(number, task, committedAtUs, sequence);
    const { submitToStartMs } = (this.tasks.policies[slot] as TaskPolicy).limits;
    if (submitToStartMs > 0) this.due.push(committedAtUs + submitToStartMs * 1_000, number, DUE.SUBMIT_TO_START);
    this.wait(slot, committedAtUs);
  }

  /** Puts a task of a snapshot in. */
  restore(task: TaskRecord): void {
    const { tasks } = this;
    const slot = this.enter(task.number, task, task.createdAtUs, task.createdSequence);
    tasks.attempts[slot] = task.attempts;
    tasks.failures[slot] = task.failures;
    tasks.firstStartedAtUs[slot] = task.firstStartedAtUs;
    const { submitToStartMs } = (tasks.policies[slot] as TaskPolicy).limits;
    if (submitToStartMs > 0 && task.attempts === 0) this.due.push(task.createdAtUs + submitToStartMs * 1_000, task.number, DUE.SUBMIT_TO_START);
    if (task.running) this.run(slot, task);
    else this.wait(slot, task.createdAtUs);
  }

  /** A task is there from now on, without an attempt. */
  private enter(number: number, task: NewTask, createdAtUs: number, createdSequence: number): number {
    const { tasks } = this;
    const { key: keyName, dedupeKey } = task;
    const type = this.typeLane(task.type);
    const key = keyName === '' ? undefined : this.keyLane(keyName);
    const policy = this.interned(task.policy);
    const slot = tasks.add(number, type, key, policy);
    this.beforeChange?.(slot, true);
    tasks.priorities[slot] = task.priority;
    tasks.createdAtUs[slot] = createdAtUs;
    tasks.createdSequences[slot] = createdSequence;
    tasks.startAtUs[slot] = task.startAtUs;
    type.live += 1;
    if (key !== undefined) key.live += 1;
    if (dedupeKey !== '') {
      this.dedupes.set(dedupeKey, number);
      tasks.dedupeKeys.set(number, dedupeKey);
    }
    const { submitToFinishMs } = policy.limits;
    if (submitToFinishMs > 0) this.due.push(createdAtUs + submitToFinishMs * 1_000, number, DUE.SUBMIT_TO_FINISH);
    return slot;
  }

  private start(event: QueueEvent & { kind: 'started' }, { sequence, committedAtUs }: CommitPlace): void {
    const { number, attempt, workerId, keepsLimits, toBeHandedOut = false } = event;
    const slot = this.slotOf(number);
    const { tasks } = this;
    this.beforeChange?.(slot, false);
    tasks.attempts[slot] = attempt;
    if (tasks.firstStartedAtUs[slot] === 0) tasks.firstStartedAtUs[slot] = committedAtUs;
    this.gate.started(committedAtUs);
    (tasks.types[slot] as TypeLane).gate.started(committedAtUs);
    this.runFrom(slot, { startedAtUs: committedAtUs, startedSequence: sequence, workerId, keepsLimits });
    if (toBeHandedOut) tasks.countedFromUs[slot] = Number.POSITIVE_INFINITY;
    else this.countFrom(slot, committedAtUs);
    const key = tasks.keys[slot];
    if (key === undefined) return;
    key.gate.started(committedAtUs);
    if (key.offered === number) key.offered = 0;
    this.offerFirst(key);
  }

  /** A task of a snapshot is under way: it counts, but not as a start. */
  private run(slot: number, attempt: StartedAttempt): void {
    this.gate.running += 1;
    (this.tasks.types[slot] as TypeLane).gate.running += 1;
    const key = this.tasks.keys[slot];
    if (key !== undefined) key.gate.running += 1;
    this.runFrom(slot, attempt);
    this.countFrom(slot, attempt.startedAtUs);
  }

  /** The attempt is handed out: from now on its limits count. */
  handedOut(slot: number, atUs: number): void {
    this.tasks.heardAtUs[slot] = atUs;
    this.countFrom(slot, atUs);
  }

  /** When the attempt left for its worker, or was started where that is not known; Infinity: it has not left. */
  leftAtUs(slot: number): number {
    return (this.tasks.countedFromUs[slot] as number) - this.allowanceUs(slot);
  }

  /** When the time limit of the attempt is over for the owner. A worker that keeps limits has until then to report what happened while there was no owner. */
  attemptEndUs(slot: number): number {
    const { tasks } = this;
    const { startToFinishMs } = (tasks.policies[slot] as TaskPolicy).limits;
    if (startToFinishMs === 0) return Number.POSITIVE_INFINITY;
    const endUs = (tasks.countedFromUs[slot] as number) + startToFinishMs * 1_000;
    return tasks.keepsLimits[slot] === 1 ? Math.max(endUs, this.heardFloorUs + WORKER_ALLOWANCE_US) : endUs;
  }

  private allowanceUs(slot: number): number {
    return this.tasks.keepsLimits[slot] === 1 ? WORKER_ALLOWANCE_US : 0;
  }

  private countFrom(slot: number, atUs: number): void {
    const { tasks } = this;
    tasks.countedFromUs[slot] = atUs + this.allowanceUs(slot);
    const endUs = this.attemptEndUs(slot);
    if (Number.isFinite(endUs)) this.due.push(endUs, tasks.numbers[slot] as number, DUE.START_TO_FINISH);
  }

  private runFrom(slot: number, { startedAtUs, startedSequence, workerId, keepsLimits }: StartedAttempt): void {
    const { tasks } = this;
    tasks.phases[slot] = RUNNING;
    tasks.startedAtUs[slot] = startedAtUs;
    tasks.startedSequences[slot] = startedSequence;
    tasks.heardAtUs[slot] = startedAtUs;
    tasks.workers[slot] = workerId;
    tasks.keepsLimits[slot] = keepsLimits ? 1 : 0;
    const number = tasks.numbers[slot] as number;
    const { heartbeatMs } = (tasks.policies[slot] as TaskPolicy).limits;
    if (workerId !== '') this.due.push(startedAtUs + heartbeatMs * 1_000, number, DUE.HEARTBEAT);
  }

  private endAttempt({ number, attempt, outcome, retryAtUs }: QueueEvent & { kind: 'attemptEnded' }, { committedAtUs }: CommitPlace): void {
    const { tasks } = this;
    const slot = this.slotOf(number);
    this.beforeChange?.(slot, false);
    this.ends.add({ number, attempt, sequence: tasks.startedSequences[slot] as number }, outcome);
    this.gate.running -= 1;
    (tasks.types[slot] as TypeLane).gate.running -= 1;
    const key = tasks.keys[slot];
    if (key !== undefined) key.gate.running -= 1;
    tasks.phases[slot] = DELAYED;
    if (outcome === 'FAILED') tasks.failures[slot] = (tasks.failures[slot] as number) + 1;
    if (retryAtUs === 0) {
      this.end(slot);
    } else {
      tasks.startAtUs[slot] = retryAtUs;
      this.wait(slot, committedAtUs);
      // It was under way when the queue was purged, and waits now: the purge goes on with it.
      if (number <= this.purgedUpTo) this.purgeSlot = this.purgeSlot === -1 ? slot : Math.min(this.purgeSlot, slot);
    }
    if (key !== undefined && retryAtUs !== 0) this.offerFirst(key);
  }

  private end(slot: number): void {
    const { tasks } = this;
    this.beforeChange?.(slot, false);
    const type = tasks.types[slot] as TypeLane;
    const key = tasks.keys[slot];
    const number = tasks.numbers[slot] as number;
    const dedupeKey = tasks.dedupeKeys.get(number);
    if (dedupeKey !== undefined && this.dedupes.get(dedupeKey) === number) this.dedupes.delete(dedupeKey);
    tasks.remove(slot);
    type.live -= 1;
    if (key !== undefined) {
      key.live -= 1;
      if (key.offered === number) key.offered = 0;
      this.offerFirst(key);
      if (key.live === 0 && this.limits.ratePerKey === undefined) this.keys.delete(key.key);
    }
    if (type.live === 0 && !this.limits.types.has(type.name)) this.types.delete(type.name);
    this.shrink();
  }

  /** Gives memory back when few are left of many tasks. A snapshot goes by slots: it is waited for. */
  private shrink(): void {
    if (this.beforeChange !== undefined || !this.tasks.isSparse) return;
    this.tasks.compact();
    if (this.purgeSlot !== -1) this.purgeSlot = 0;
    this.due.keep((timeUs, number, kind) => this.isDueOf(timeUs, number, kind));
  }

  private configure(limits: QueueLimits, atUs: number): void {
    const { maximumRunningPerKey, ratePerKey } = this.limits;
    this.limits = limits;
    this.gate.limitTo(limits.maximumRunning, limits.rate);
    for (const type of this.types.values()) {
      const { maximumRunning, rate } = limits.types.get(type.name) ?? NO_TYPE_LIMITS;
      type.gate.limitTo(maximumRunning, rate);
      if (type.live === 0 && !limits.types.has(type.name)) this.types.delete(type.name);
    }
    // A queue may have hundreds of thousands of keys.
    if (limits.maximumRunningPerKey === maximumRunningPerKey && isSameRate(limits.ratePerKey, ratePerKey)) return;
    for (const key of this.keys.values()) {
      key.gate.limitTo(limits.maximumRunningPerKey, limits.ratePerKey);
      if (key.live === 0 && key.gate.isIdle(atUs)) this.keys.delete(key.key);
      else this.offerFirst(key);
    }
  }

  /** Starts of a snapshot that count for a rate: of the type, of the key, or of the queue if neither is named. */
  restoreStarts(type: string, key: string, startsUs: readonly number[]): void {
    const gate = type !== '' ? this.typeLane(type).gate : key !== '' ? this.keyLane(key).gate : this.gate;
    gate.restoreStarts(startsUs);
  }

  // ---- what waits ----

  /** The task waits from now on: until its time, or for its turn. */
  private wait(slot: number, nowUs: number): void {
    const startAtUs = this.tasks.startAtUs[slot] as number;
    if (startAtUs <= nowUs) {
      this.makeReady(slot);
      return;
    }
    this.tasks.phases[slot] = DELAYED;
    this.due.push(startAtUs, this.tasks.numbers[slot] as number, DUE.READY);
  }

  /** Its time has come. */
  makeReady(slot: number): void {
    const { tasks } = this;
    tasks.phases[slot] = READY;
    const priority = tasks.priorities[slot] as number;
    const number = tasks.numbers[slot] as number;
    const key = tasks.keys[slot];
    if (key === undefined) {
      this.pushReady((tasks.types[slot] as TypeLane).ready, priority, number, (tasks.types[slot] as TypeLane).live);
    } else {
      this.pushReady(key.ready, priority, number, key.live);
      this.offerFirst(key);
    }
  }

  /** The first one of the key stands in the heap of its type, unless as many of the key are under way as may be. */
  offerFirst(key: KeyLane): void {
    if (key.gate.isFull) return;
    const number = this.firstOf(key.ready);
    if (number === 0 || number === key.offered) return;
    const type = this.tasks.types[this.tasks.slotOf(number)] as TypeLane;
    key.offered = number;
    this.pushReady(type.ready, key.ready.topPriority, number, type.live);
  }

  /** Number of the first task in the heap that waits and may start; 0: none. What is not valid any more is dropped. */
  firstOf(heap: ReadyHeap): number {
    heap.purge(this.purgedUpTo);
    for (let number = heap.topNumber; number !== 0; number = heap.topNumber) {
      if (this.waits(number)) return number;
      heap.pop();
    }
    return 0;
  }

  private waits(number: number): boolean {
    const slot = this.tasks.slotOf(number);
    return slot !== -1 && this.tasks.phases[slot] === READY && number > this.purgedUpTo;
  }

  private pushReady(heap: ReadyHeap, priority: number, number: number, live: number): void {
    heap.purge(this.purgedUpTo);
    // The purge ends it soon.
    if (number <= this.purgedUpTo) return;
    if (heap.size > 2 * live + STALE_ENTRIES) heap.keep((known) => this.waits(known));
    heap.push(priority, number);
  }

  /** Drops what is due of tasks that have ended, and keys without tasks, when most of them are. */
  pack(nowUs: number): void {
    const live = this.tasks.size;
    if (this.due.size > DUES_PER_TASK * live + STALE_ENTRIES) this.due.keep((timeUs, number, kind) => this.isDueOf(timeUs, number, kind));
    // Keys whose rate still counts stay: they are looked through again when there are twice as many.
    if (this.keys.size <= Math.max(live, 2 * this.keysKept) + STALE_ENTRIES) return;
    for (const key of this.keys.values()) if (key.live === 0 && key.gate.isIdle(nowUs)) this.keys.delete(key.key);
    this.keysKept = this.keys.size;
  }

  private isDueOf(timeUs: number, number: number, kind: number): boolean {
    const slot = this.tasks.slotOf(number);
    if (slot === -1) return false;
    // Of an attempt before this one.
    const isOfAttempt = kind === DUE.START_TO_FINISH || kind === DUE.HEARTBEAT;
    return !isOfAttempt || (this.tasks.phases[slot] === RUNNING && timeUs >= (this.tasks.startedAtUs[slot] as number));
  }

  /** How many tasks wait, wait for their time, and run; and when the oldest of those that wait began to. Looks through all tasks. */
  standing(nowUs: number): { readonly waiting: number; readonly delayed: number; readonly running: number; readonly oldestUs: number } {
    const { phases, startAtUs, createdAtUs, used } = this.tasks;
    let waiting = 0;
    let delayed = 0;
    let running = 0;
    let oldestUs = Number.POSITIVE_INFINITY;
    for (let slot = 0; slot < used; slot += 1) {
      const phase = phases[slot];
      if (phase === RUNNING) running += 1;
      else if (phase === DELAYED && (startAtUs[slot] as number) > nowUs) delayed += 1;
      else if (phase !== FREE) {
        waiting += 1;
        oldestUs = Math.min(oldestUs, Math.max(createdAtUs[slot] as number, startAtUs[slot] as number));
      }
    }
    return { waiting, delayed, running, oldestUs };
  }

  // ---- parts ----

  private slotOf(number: number): number {
    const slot = this.tasks.slotOf(number);
    if (slot === -1) throw new Error(`queue ${this.name}: task ${number} has ended or was never submitted`);
    return slot;
  }

  private typeLane(name: string): TypeLane {
    let lane = this.types.get(name);
    if (lane === undefined) {
      lane = new TypeLane(name, this.limits.types.get(name) ?? NO_TYPE_LIMITS);
      this.types.set(name, lane);
    }
    return lane;
  }

  private keyLane(text: string): KeyLane {
    let lane = this.keys.get(text);
    if (lane === undefined) {
      lane = new KeyLane(text, this.limits.maximumRunningPerKey, this.limits.ratePerKey);
      this.keys.set(text, lane);
    }
    return lane;
  }

  private interned(policy: TaskPolicy): TaskPolicy {
    if (policy === DEFAULT_POLICY) return policy;
    const { limits, retry } = policy;
    const text = [
      limits.submitToStartMs,
      limits.startToFinishMs,
      limits.submitToFinishMs,
      limits.heartbeatMs,
      retry.maximumAttempts,
      retry.firstPauseMs,
      retry.growthPercent,
      retry.maximumPauseMs,
      retry.jitterPercent,
      retry.retryTimeLimit,
    ].join();
    const known = this.policies.get(text);
    if (known !== undefined) return known;
    if (this.policies.size < INTERNED_POLICIES) this.policies.set(text, policy);
    return policy;
  }
}
