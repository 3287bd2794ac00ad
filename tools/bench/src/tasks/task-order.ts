/** What a process with one task system is told, and what it answers. */

export const TASK_SYSTEMS = ['sluice', 'graphile-worker', 'pg-boss', 'bullmq'] as const;
export type TaskSystemName = (typeof TASK_SYSTEMS)[number];
export type TaskRivalName = Exclude<TaskSystemName, 'sluice'>;

/** How to reach a system. */
export interface TaskPlace {
  readonly system: TaskSystemName;
  /** HOST:PORT of Sluice, else the URL of the rival's server. */
  readonly url: string;
  /** Folder in whose `node_modules` the rival's package is; undefined: the system is Sluice. */
  readonly packages: string | undefined;
}

export type TaskOrder =
  /** To be asked first, once. */
  | { readonly kind: 'open'; readonly place: TaskPlace; readonly queue: string }
  /** Creates so many tasks in batches. */
  | { readonly kind: 'bulk'; readonly count: number; readonly batchSize: number; readonly inFlight: number }
  /** Creates tasks one by one for so long. */
  | { readonly kind: 'singles'; readonly inFlight: number; readonly warmUpMs: number; readonly windowMs: number }
  /** Begins to take tasks with a handler that does nothing. */
  | { readonly kind: 'work' }
  /** How many tasks came since. */
  | { readonly kind: 'handled' }
  /** Ends what `work` began. */
  | { readonly kind: 'rest' }
  /** Creates tasks one after the other while a worker waits for them. */
  | { readonly kind: 'latency'; readonly count: number; readonly pauseMs: number };

export interface TaskAnswer {
  /** Tasks that were created, or handled. */
  readonly count: number;
  /** `singles`: those of them that count, because they were acknowledged within the window. */
  readonly counted: number;
  /** When the first one began and the last one ended, in milliseconds since 1970. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** `latency`: from each create's acknowledgement to its start, packed. */
  readonly latency: string | undefined;
}
