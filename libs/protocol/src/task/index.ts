/** Tasks: their messages, events and reasons. */
import type { ProtocolCapability } from '../protocol-capability';
import { taskReasons } from './reasons';
import { taskEvents } from './task-events';

export const protocolCapability = { name: 'task', events: taskEvents, reasons: taskReasons } as const satisfies ProtocolCapability;

export * as taskpb from '../generated/index.sluice.task.v1';
export * from './task-events';
export { type AttemptEnd, type AttemptsEnded, type AttemptsStarted, type AttemptStart, writeAttemptsEnded, writeAttemptsStarted } from './attempt-events';
export { PlainTask } from './plain-task';
export { readTaskBatch, type TaskBatch, TaskResultsWriter, writeTasksCreated } from './task-batch';
export { AssignedPlainTask, writeWorkResponse } from './work-messages';
