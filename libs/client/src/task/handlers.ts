/** Handlers of tasks: functions in this thread, and modules in threads that can be ended. */
import type { TaskBody } from './task';

/** A task that a worker was given. */
export interface WorkerTask {
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
  /** The payload as JSON. */
  readonly json: () => unknown;
}

export interface HandlerContext {
  /** Aborts when the attempt must stop: cancelled, out of time, or lost to another worker. A module's thread is ended then. */
  readonly signal: AbortSignal;
  /** Says how far the attempt is. For percent: `progress(40, 100)`. */
  progress(done: number, total?: number, text?: string): void;
}

/** What it resolves with is the task's result; what it throws fails the attempt. */
export type Handler = (task: WorkerTask, context: HandlerContext) => Promise<TaskBody | void> | TaskBody | void;

/** Thrown by a handler: trying again would not help. */
export class PermanentTaskError extends Error {
  readonly permanent = true;

  constructor(message: string) {
    super(message);
    this.name = 'PermanentTaskError';
  }
}
