/**
 * Workers that wait for tasks of a queue. Those that take the same types are one group, which is asked about once: a change of the queue costs as
 * much as there are groups, not workers. Groups with many types together cost more than one round of the event loop may: the rest is looked
 * at in the next one.
 */
import type { Turn } from '@sluice/engine';

export interface WaitingWorker {
  /** Undefined: all. */
  readonly types: readonly string[] | undefined;
  readonly wake: () => void;
  /** Starts tasks for the worker in the turn that made them startable, at most so many, and returns how many; undefined: it asks for them when it is woken. */
  readonly start?: (turn: Turn, maximum: number) => number;
}

interface Group {
  readonly types: readonly string[] | undefined;
  readonly workers: Set<WaitingWorker>;
}

/** Woken at a time: each that takes something wakes the next ones. */
const WOKEN_AT_ONCE = 16;
/** Groups that are offered tasks in a turn; the others are woken. */
const OFFERED_GROUPS = 16;
/** Types that are looked up in one round. */
const TYPES_PER_ROUND = 10_000;
/** What a group costs beside its types. */
const GROUP_TYPES = 4;

export class WaitingWorkers {
  /** By their types, those that were looked at longest ago first. */
  private readonly groups = new Map<string, Group>();
  private size = 0;

  get isEmpty(): boolean {
    return this.size === 0;
  }

  get groupCount(): number {
    return this.groups.size;
  }

  add(worker: WaitingWorker): void {
    const name = groupOf(worker);
    let group = this.groups.get(name);
    if (group === undefined) {
      group = { types: worker.types, workers: new Set() };
      this.groups.set(name, group);
    }
    group.workers.add(worker);
    this.size += 1;
  }

  remove(worker: WaitingWorker): void {
    const name = groupOf(worker);
    const group = this.groups.get(name);
    if (group?.workers.delete(worker) !== true) return;
    this.size -= 1;
    if (group.workers.size === 0) this.groups.delete(name);
  }

  /**
   * Wakes some of those that would get a task.
   *
   * @param groups to be looked at, at most.
   * @returns how many of them are still to be looked at; 0 when as many were woken as are woken at a time.
   */
  wake(groups: number, hasTask: (types: readonly string[] | undefined) => boolean): number {
    let room = TYPES_PER_ROUND;
    let left = Math.min(groups, this.groups.size);
    let woken = 0;
    while (left > 0 && room > 0) {
      const [name, group] = this.groups.entries().next().value as [string, Group];
      left -= 1;
      room -= GROUP_TYPES + (group.types?.length ?? 0);
      this.groups.delete(name);
      this.groups.set(name, group);
      if (!hasTask(group.types)) continue;
      for (const worker of [...firstOf(group.workers, WOKEN_AT_ONCE - woken)]) {
        this.remove(worker);
        worker.wake();
        woken += 1;
      }
      if (woken >= WOKEN_AT_ONCE) return 0;
    }
    return left;
  }

  /**
   * Lets some of those that would get a task start it in the turn.
   *
   * @returns how many were started, `maximum` at most.
   */
  offer(turn: Turn, maximum: number, hasTask: (types: readonly string[] | undefined) => boolean): number {
    let room = TYPES_PER_ROUND;
    let started = 0;
    let looked = 0;
    for (const group of [...firstOf(this.groups.values(), OFFERED_GROUPS)]) {
      room -= GROUP_TYPES + (group.types?.length ?? 0);
      if (room < 0) break;
      for (const worker of [...firstOf(group.workers, WOKEN_AT_ONCE)]) {
        if (started >= maximum || looked === WOKEN_AT_ONCE || !hasTask(group.types)) break;
        looked += 1;
        if (worker.start === undefined) continue;
        this.remove(worker);
        started += worker.start(turn, maximum - started);
      }
    }
    return started;
  }

  wakeAll(): void {
    for (const { workers } of [...this.groups.values()]) for (const worker of [...workers]) worker.wake();
  }
}

const names = new WeakMap<readonly string[], string>();

function groupOf({ types }: WaitingWorker): string {
  if (types === undefined) return '';
  let name = names.get(types);
  if (name === undefined) {
    name = JSON.stringify(types);
    names.set(types, name);
  }
  return name;
}

function* firstOf<Item>(items: Iterable<Item>, maximum: number): Generator<Item> {
  let left = maximum;
  for (const item of items) {
    if (left === 0) return;
    left -= 1;
    yield item;
  }
}
