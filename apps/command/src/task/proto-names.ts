/** Enumerations between messages and the domain. */
import type { AttemptOutcome, CatchUpRule, DedupeRule, FailureKind, OverlapRule, TaskState, TimeLimit } from '@sluice/domain/task';
import { taskpb } from '@sluice/protocol/task';

export const STATE_TO_PROTO: Readonly<Record<TaskState, taskpb.TaskState>> = {
  SUBMITTED: taskpb.TaskState.TASK_STATE_SUBMITTED,
  RUNNING: taskpb.TaskState.TASK_STATE_RUNNING,
  SUCCEEDED: taskpb.TaskState.TASK_STATE_SUCCEEDED,
  FAILED: taskpb.TaskState.TASK_STATE_FAILED,
  CANCELLED: taskpb.TaskState.TASK_STATE_CANCELLED,
};

export const KIND_TO_PROTO: Readonly<Record<FailureKind, taskpb.FailureKind>> = {
  HANDLER: taskpb.FailureKind.FAILURE_KIND_HANDLER,
  PERMANENT: taskpb.FailureKind.FAILURE_KIND_PERMANENT,
  TIME_LIMIT: taskpb.FailureKind.FAILURE_KIND_TIME_LIMIT,
  WORKER_LOST: taskpb.FailureKind.FAILURE_KIND_WORKER_LOST,
};

export const LIMIT_TO_PROTO: Readonly<Record<TimeLimit, taskpb.TimeLimit>> = {
  SUBMIT_TO_START: taskpb.TimeLimit.TIME_LIMIT_SUBMIT_TO_START,
  START_TO_FINISH: taskpb.TimeLimit.TIME_LIMIT_START_TO_FINISH,
  SUBMIT_TO_FINISH: taskpb.TimeLimit.TIME_LIMIT_SUBMIT_TO_FINISH,
  HEARTBEAT: taskpb.TimeLimit.TIME_LIMIT_HEARTBEAT,
};

export const OUTCOME_TO_PROTO: Readonly<Record<AttemptOutcome, taskpb.AttemptOutcome>> = {
  SUCCEEDED: taskpb.AttemptOutcome.ATTEMPT_OUTCOME_SUCCEEDED,
  FAILED: taskpb.AttemptOutcome.ATTEMPT_OUTCOME_FAILED,
  CANCELLED: taskpb.AttemptOutcome.ATTEMPT_OUTCOME_CANCELLED,
  RETURNED: taskpb.AttemptOutcome.ATTEMPT_OUTCOME_RETURNED,
};

/** By number in the proto; undefined: not one that can be recorded. */
export const OUTCOMES: readonly (AttemptOutcome | undefined)[] = [undefined, 'SUCCEEDED', 'FAILED', 'CANCELLED', 'RETURNED'];
/** By number in the proto; undefined: not a state. */
export const STATES: readonly (TaskState | undefined)[] = [undefined, 'SUBMITTED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'];
/** By number in the proto. */
export const DEDUPE_RULES: readonly DedupeRule[] = ['REFUSE', 'REFUSE', 'RETURN_EXISTING', 'REPLACE'];
/** By number in the proto. */
export const OVERLAP_RULES: readonly OverlapRule[] = ['SKIP', 'SKIP', 'BUFFER', 'ALLOW'];
/** By number in the proto. */
export const CATCH_UP_RULES: readonly CatchUpRule[] = ['LATEST', 'NONE', 'LATEST', 'ALL'];
