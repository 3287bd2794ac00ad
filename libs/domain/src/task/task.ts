/** A task as its queue knows it: what decides when it runs. What it is about (payload, labels) is not here: the log has it. */
import { DEFAULT_RETRY, type RetryPolicy } from './retry';

/** In milliseconds; 0: none. */
export interface TimeLimits {
  readonly submitToStartMs: number;
  readonly startToFinishMs: number;
  readonly submitToFinishMs: number;
  readonly heartbeatMs: number;
}

export const DEFAULT_HEARTBEAT_MS = 10_000;
export const DEFAULT_LIMITS: TimeLimits = { submitToStartMs: 0, startToFinishMs: 0, submitToFinishMs: 0, heartbeatMs: DEFAULT_HEARTBEAT_MS };

export type TimeLimit = 'SUBMIT_TO_START' | 'START_TO_FINISH' | 'SUBMIT_TO_FINISH' | 'HEARTBEAT';
export type FailureKind = 'HANDLER' | 'PERMANENT' | 'TIME_LIMIT' | 'WORKER_LOST';

/** Limits and retries; many tasks share one. */
export interface TaskPolicy {
  readonly limits: TimeLimits;
  readonly retry: RetryPolicy;
}

/** Of tasks that say nothing. */
export const DEFAULT_POLICY: TaskPolicy = { limits: DEFAULT_LIMITS, retry: DEFAULT_RETRY };

export interface NewTask {
  readonly type: string;
  /** A task of a higher one is started first. */
  readonly priority: number;
  /** Tasks with the same key run one after the other; empty: none. */
  readonly key: string;
  /** Not started before it, microseconds; 0: at once. */
  readonly startAtUs: number;
  readonly policy: TaskPolicy;
  /** Empty: none. */
  readonly dedupeKey: string;
}

/** Everything that a queue knows of a task that has not ended: what a snapshot keeps. */
export interface TaskRecord extends NewTask {
  readonly number: number;
  readonly createdAtUs: number;
  /** Sequence of the commit that submitted it. */
  readonly createdSequence: number;
  /** True: an attempt is under way. */
  readonly running: boolean;
  /** Attempts that were started. */
  readonly attempts: number;
  /** Attempts that failed. */
  readonly failures: number;
  /** Microseconds; 0: none was started. */
  readonly firstStartedAtUs: number;
  /** Of the newest attempt. */
  readonly startedAtUs: number;
  /** Sequence of the commit that started the newest attempt. */
  readonly startedSequence: number;
  /** The worker of the newest attempt keeps limits by its own clock. */
  readonly keepsLimits: boolean;
  /** Of the newest attempt; empty: the work is done outside of workers. */
  readonly workerId: string;
}
