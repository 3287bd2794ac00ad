/** Tasks: a queue with what waits and what runs in it, and what it decides. */
export * from './decide';
export { DueHeap } from './due-heap';
export { NO_QUEUE_LIMITS, NO_TYPE_LIMITS, type QueueLimits, type TypeLimits } from './queue-limits';
export { type AttemptOutcome, type CommitPlace, type QueueEvent, TaskQueue } from './queue';
export type { RateLimit } from './rate-window';
export { DEFAULT_RETRY, pauseAfterFailureMs, type RetryPolicy } from './retry';
export * from './schedule';
export * from './task';
export { FREE, RUNNING } from './task-columns';
export * from './task-id';
export * from './task-state';
