/** What users of the library see of tasks. */
export { type Handler, type HandlerContext, PermanentTaskError, type WorkerTask } from './handlers';
export {
  type CatchUpRule,
  type DedupeRule,
  type FailureKind,
  type OverlapRule,
  type QueueLimits,
  type QueueStats,
  type RateLimit,
  type RetryPolicyInput,
  type Schedule,
  type ScheduleInput,
  type Task,
  TASK_STATES,
  type TaskAttempt,
  type TaskBody,
  type TaskCounts,
  type TaskFailure,
  type TaskFilter,
  type TaskInput,
  type TaskProgress,
  type TaskReceipt,
  type TaskState,
  type TimeLimitName,
  type TimeLimits,
} from './task';
export type { TaskWorker, WorkerOptions } from './task-worker';
export type { CreationOutcome, TaskPage, TasksClient } from './tasks-client';
