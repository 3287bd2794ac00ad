/** A task system as the bench uses it: Sluice by its client library, a rival by its own. */

export interface WorkWish {
  /** Whether many tasks wait, or one at a time is to start soon. */
  readonly aim: 'throughput' | 'latency';
  /** Called when a task starts, with its payload. */
  readonly started: (payload: TaskPayload) => void;
}

/** What a task carries. */
export interface TaskPayload {
  readonly at: number;
}

export interface TaskSystem {
  /** Creates so many tasks; resolves when they are acknowledged. */
  createMany(count: number): Promise<void>;
  /** Creates one task; resolves when it is acknowledged. */
  createOne(payload: TaskPayload): Promise<void>;
  /** Takes tasks until what it resolves with is called. */
  work(wish: WorkWish): Promise<() => Promise<void>>;
}
