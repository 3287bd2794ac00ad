/** Tasks: their messages, events and reasons. */
import type { ProtocolCapability } from '../protocol-capability';
import { taskReasons } from './reasons';
import { taskEvents } from './task-events';

export const protocolCapability = { name: 'task', events: taskEvents, reasons: taskReasons } as const satisfies ProtocolCapability;

export * as taskpb from '../generated/index.sluice.task.v1';
export * from './task-events';
