/** The tasks of a queue that have not ended, in columns: a million of them are a few large arrays, and no objects. */
import type { KeyLane, TypeLane } from './lanes';
import { NumberIndex } from './number-index';
import type { TaskPolicy, TaskRecord } from './task';

export const FREE = 0;
/** It waits for its time. */
export const DELAYED = 1;
/** It waits for its turn. */
export const READY = 2;
export const RUNNING = 3;
/** So few are kept within the object itself: a queue with few tasks, of which there may be many, takes little. */
const INITIAL = 8;
/** Columns are made smaller when fewer than this part of their slots is in use, and they have so many. */
const SPARSE_PART = 16;
const SPARSE_SLOTS = 16_384;

/** Every column of numbers stands in one of these: by them the columns grow and are made smaller. */
const FLOATS = [
  'numbers',
  'createdAtUs',
  'createdSequences',
  'startAtUs',
  'firstStartedAtUs',
  'startedAtUs',
  'startedSequences',
  'heardAtUs',
  'countedFromUs',
] as const;
const BYTES = ['phases', 'keepsLimits'] as const;
const INTEGERS = ['priorities', 'attempts', 'failures'] as const;

export class TaskColumns {
  phases = new Uint8Array(INITIAL);
  /** 1: the worker of the attempt keeps its limits by its own clock. */
  keepsLimits = new Uint8Array(INITIAL);
  numbers = new Float64Array(INITIAL);
  priorities = new Int32Array(INITIAL);
  createdAtUs = new Float64Array(INITIAL);
  createdSequences = new Float64Array(INITIAL);
  startAtUs = new Float64Array(INITIAL);
  attempts = new Int32Array(INITIAL);
  failures = new Int32Array(INITIAL);
  firstStartedAtUs = new Float64Array(INITIAL);
  startedAtUs = new Float64Array(INITIAL);
  startedSequences = new Float64Array(INITIAL);
  /** When the worker was heard last; not recorded. */
  heardAtUs = new Float64Array(INITIAL);
  /**
   * From when the limit of the attempt counts for the owner: from its hand-out, and later where the worker keeps limits. Infinity: it is not handed
   * out yet. Not recorded: another owner counts from the start.
   */
  countedFromUs = new Float64Array(INITIAL);
  readonly types: (TypeLane | undefined)[] = [];
  readonly keys: (KeyLane | undefined)[] = [];
  readonly policies: (TaskPolicy | undefined)[] = [];
  readonly workers: string[] = [];
  /** Few tasks have one. */
  readonly dedupeKeys = new Map<number, string>();
  /** Slots that were ever used. */
  used = 0;
  private index = new NumberIndex();
  private free: number[] = [];

  get size(): number {
    return this.index.size;
  }

  /** -1: the task is not known, or has ended. */
  slotOf(number: number): number {
    return this.index.get(number);
  }

  add(number: number, type: TypeLane, key: KeyLane | undefined, policy: TaskPolicy): number {
    const slot = this.free.pop() ?? this.used;
    if (slot === this.used) {
      if (this.used === this.numbers.length) this.grow();
      this.used += 1;
    }
    this.index.add(number, slot);
    this.phases[slot] = DELAYED;
    this.numbers[slot] = number;
    this.types[slot] = type;
    this.keys[slot] = key;
    this.policies[slot] = policy;
    this.workers[slot] = '';
    this.keepsLimits[slot] = 0;
    this.attempts[slot] = 0;
    this.failures[slot] = 0;
    this.firstStartedAtUs[slot] = 0;
    this.startedAtUs[slot] = 0;
    this.startedSequences[slot] = 0;
    this.heardAtUs[slot] = 0;
    this.countedFromUs[slot] = 0;
    return slot;
  }

  remove(slot: number): void {
    const number = this.numbers[slot] as number;
    this.index.delete(number);
    this.dedupeKeys.delete(number);
    this.phases[slot] = FREE;
    this.types[slot] = undefined;
    this.keys[slot] = undefined;
    this.policies[slot] = undefined;
    this.free.push(slot);
  }

  recordOf(slot: number): TaskRecord {
    const number = this.numbers[slot] as number;
    return {
      number,
      type: (this.types[slot] as TypeLane).name,
      priority: this.priorities[slot] as number,
      key: this.keys[slot]?.key ?? '',
      startAtUs: this.startAtUs[slot] as number,
      policy: this.policies[slot] as TaskPolicy,
      dedupeKey: this.dedupeKeys.get(number) ?? '',
      createdAtUs: this.createdAtUs[slot] as number,
      createdSequence: this.createdSequences[slot] as number,
      running: this.phases[slot] === RUNNING,
      attempts: this.attempts[slot] as number,
      failures: this.failures[slot] as number,
      firstStartedAtUs: this.firstStartedAtUs[slot] as number,
      startedAtUs: this.startedAtUs[slot] as number,
      startedSequence: this.startedSequences[slot] as number,
      workerId: this.workers[slot] as string,
      keepsLimits: this.keepsLimits[slot] === 1,
    };
  }

  get isSparse(): boolean {
    return this.numbers.length >= SPARSE_SLOTS && this.size * SPARSE_PART < this.numbers.length;
  }

  /** Moves the tasks to the front, in their order, into smaller columns. Their slots change. */
  compact(): void {
    const slots: number[] = [];
    for (let slot = 0; slot < this.used; slot += 1) if (this.phases[slot] !== FREE) slots.push(slot);
    let size = INITIAL;
    while (size < 2 * slots.length) size *= 2;
    for (const name of BYTES) this[name] = moved(slots, this[name], new Uint8Array(size));
    for (const name of FLOATS) this[name] = moved(slots, this[name], new Float64Array(size));
    for (const name of INTEGERS) this[name] = moved(slots, this[name], new Int32Array(size));
    for (const column of [this.types, this.keys, this.policies, this.workers] as unknown[][]) {
      moved(slots, column, column);
      column.length = slots.length;
    }
    this.used = slots.length;
    this.free = [];
    this.index = new NumberIndex();
    for (let slot = 0; slot < this.used; slot += 1) this.index.add(this.numbers[slot] as number, slot);
  }

  private grow(): void {
    const size = this.numbers.length * 2;
    for (const name of BYTES) this[name] = grown(this[name], new Uint8Array(size));
    for (const name of FLOATS) this[name] = grown(this[name], new Float64Array(size));
    for (const name of INTEGERS) this[name] = grown(this[name], new Int32Array(size));
  }
}

/** The values at the front of the other column, which is larger. */
function grown<Column extends { set(values: ArrayLike<number>): void }>(from: ArrayLike<number>, to: Column): Column {
  to.set(from);
  return to;
}

/** The values of the slots, in their order, at the front of the other column. It may be the same one: slots only move forward. */
function moved<Column extends { [at: number]: unknown }>(slots: readonly number[], from: Column, to: Column): Column {
  for (let at = 0; at < slots.length; at += 1) to[at] = from[slots[at] as number];
  return to;
}
