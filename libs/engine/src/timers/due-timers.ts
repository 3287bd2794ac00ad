/** The timers of the partitions that this process serves, for the scheduler: when they are due, and to fire them. */
import type { TimerRoom } from './timer-room';

export interface DueState {
  /** When the first timer is due; undefined: none waits. */
  readonly earliestDueUs: number | undefined;
  readonly pending: number;
}

/** The timers of a partition that is served. */
export interface PartitionTimers {
  readonly state: DueState;
  readonly room: TimerRoom;
  /** Resolves when what is due by this process's clock is fired. What is asked for early is kept until it is due. */
  fire(upToUs: number): Promise<void>;
  /** Tries parked timers again, and resolves with how many when each is fired, or parked again. Numbers of timers that are not parked are passed over. */
  redrive(numbers: readonly number[]): Promise<number>;
}

export class DueTimers {
  private readonly served = new Map<number, PartitionTimers>();
  private readonly listeners = new Set<(partition: number) => void>();

  get partitions(): number[] {
    return [...this.served.keys()];
  }

  /** Undefined: the partition is not served now. */
  of(partition: number): PartitionTimers | undefined {
    return this.served.get(partition);
  }

  /** Calls back when the first due time of a partition changes, and when one begins or ceases to be served. Returns how to end that. */
  watch(listener: (partition: number) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  began(partition: number, timers: PartitionTimers): void {
    this.served.set(partition, timers);
    this.changed(partition);
  }

  ceased(partition: number, timers: PartitionTimers): void {
    if (this.served.get(partition) !== timers) return;
    this.served.delete(partition);
    this.changed(partition);
  }

  changed(partition: number): void {
    for (const listener of [...this.listeners]) listener(partition);
  }
}
