/** The reasons that only tasks give. */
import { reason, type ReasonDefinition } from '../reason-definition';

export const taskReasons = {
  TASK_NOT_FOUND: reason('NOT_FOUND', 'There is no such task.', 'Check the id.'),
  TASK_DUPLICATE: reason('ALREADY_EXISTS', 'A task with this dedupe key has not ended.', 'Use that task, or wait for its end.'),
  TASK_ENDED: reason('FAILED_PRECONDITION', 'The task has ended.', 'Nothing to do; to do it again, retry it.'),
  TASK_NOT_ENDED: reason('FAILED_PRECONDITION', 'The task has not ended.', 'Wait for its end, or cancel it, then retry it with a new request.'),
  TASK_TOO_OLD: reason('FAILED_PRECONDITION', 'The task was submitted too long ago for its queue to find it.', 'Submit it anew.'),
  TASK_NOT_STARTABLE: reason(
    'FAILED_PRECONDITION',
    'The task may not start now: its queue is paused, its start time has not come, another task of its key goes first, or a limit or rate is reached.',
    'Send the same request again when that is over.',
  ),
  STATE_VERSION_MISMATCH: reason('ABORTED', 'The task does not have the state version that the request expects.', 'Read the task, then decide anew.'),
  STATE_NOT_NEXT: reason('FAILED_PRECONDITION', 'The state is not one of the next level.', 'See the transition table in docs/tasks.md.'),
  LEASE_LOST: reason(
    'FAILED_PRECONDITION',
    'The lease token is not in force: the task has ended, or has another attempt.',
    'Stop the work; its result is not wanted.',
  ),
  QUEUE_TASKS_FULL: reason('RESOURCE_EXHAUSTED', 'The queue has 4,000,000 tasks that have not ended.', 'Let workers catch up, or use several queues.'),
  QUEUE_TYPES_FULL: reason(
    'RESOURCE_EXHAUSTED',
    'The tasks of the queue that have not ended have 1,000 types, and this would be one more.',
    'Use fewer types, or several queues.',
  ),
  SCHEDULE_NOT_FOUND: reason('NOT_FOUND', 'There is no such schedule.', 'Check the id.'),
  SCHEDULE_EXISTS: reason('ALREADY_EXISTS', 'The queue has a schedule with this name.', 'Delete it first, or use another name.'),
  SCHEDULE_INVALID: reason(
    'INVALID_ARGUMENT',
    'The cron expression, the interval or the time zone cannot be understood.',
    'Correct it; the message says what is wrong.',
  ),
  SCHEDULE_NEVER_RUNS: reason('FAILED_PRECONDITION', 'The schedule has no run that is still to come.', 'Correct its cron expression, or its begin and end.'),
  TOO_MANY_SCHEDULES: reason('FAILED_PRECONDITION', 'The queue has 1,000 schedules.', 'Delete some, or use another queue.'),
} satisfies Readonly<Record<string, ReasonDefinition>>;
