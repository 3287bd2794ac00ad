/** A task as its handler sees it, without functions, so that it can be sent to a thread. */
import type { taskpb } from '@sluice/protocol/task';

export interface HandlerTask {
  readonly taskId: string;
  readonly queue: string;
  readonly type: string;
  /** Which attempt this is: 1, 2, 3 … */
  readonly attempt: number;
  readonly payload: Uint8Array;
  readonly contentType: string;
  readonly key: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly parentTaskId: string;
  readonly retryOf: string;
  /** The schedule that submitted it; empty: none. */
  readonly scheduleId: string;
  readonly scheduledAt: Date | undefined;
}

export function handlerTaskOf({ taskId, attempt, spec, scheduleId, scheduledAt, retryOf }: taskpb.AssignedTask): HandlerTask {
  return {
    taskId,
    queue: taskId.slice(0, taskId.lastIndexOf('/')),
    type: spec?.type ?? '',
    attempt,
    payload: spec?.payload ?? Buffer.alloc(0),
    contentType: spec?.contentType ?? '',
    key: spec?.key ?? '',
    labels: spec?.labels ?? {},
    parentTaskId: spec?.parentTaskId ?? '',
    retryOf,
    scheduleId,
    scheduledAt: scheduledAt && new Date(Number(scheduledAt.seconds) * 1_000 + scheduledAt.nanos / 1e6),
  };
}
