/** Attempts that were started, on their way to their worker: payloads are read from the log, a page at a time. */
import { type LeaseName, leaseTokenOf, type TaskPolicy } from '@sluice/domain/task';
import { timestampFromUs } from '@sluice/protocol';
import type { taskpb } from '@sluice/protocol/task';
import type { QueuesState } from './queues-state';
import { specBytes } from './task-shape';
import { createdTask } from './task-specs';

/** A page is full when it has so many bytes; the task that fills it is in it. */
const PAGE_BYTES = 1 << 20;
/** Read at once. */
const TASKS_AT_ONCE = 16;

export interface Started {
  readonly taskId: string;
  readonly lease: LeaseName;
  readonly createdSequence: number;
  readonly policy: TaskPolicy;
  readonly createdAtUs: number;
  readonly startedAtUs: number;
}

export interface AssignedPage {
  readonly tasks: taskpb.AssignedTask[];
  /** Where the next page begins; 0: there is none. */
  readonly next: number;
}

export class StartedTasks {
  /** @param state undefined: nothing was started. */
  constructor(
    private readonly state: QueuesState | undefined,
    private readonly started: readonly Started[],
  ) {}

  /** The tasks from that one on, as many as fit a message. */
  async page(from: number): Promise<AssignedPage> {
    const { state, started } = this;
    const tasks: taskpb.AssignedTask[] = [];
    let bytes = 0;
    while (state !== undefined && from + tasks.length < started.length && bytes < PAGE_BYTES) {
      const at = from + tasks.length;
      const read = await Promise.all(started.slice(at, at + TASKS_AT_ONCE).map((one) => assigned(state, one)));
      for (const task of read) {
        if (bytes >= PAGE_BYTES) break;
        tasks.push(task);
        bytes += specBytes(task.spec as taskpb.TaskSpec);
      }
    }
    const next = from + tasks.length;
    return { tasks, next: next < started.length ? next : 0 };
  }

  /** All of them, page by page. */
  async *pages(): AsyncGenerator<taskpb.AssignedTask[]> {
    let from = 0;
    do {
      const { tasks, next } = await this.page(from);
      if (tasks.length > 0) yield tasks;
      from = next;
    } while (from > 0);
  }
}

export const NOTHING_STARTED = new StartedTasks(undefined, []);

async function assigned(state: QueuesState, { taskId, lease, createdSequence, policy, createdAtUs, startedAtUs }: Started): Promise<taskpb.AssignedTask> {
  const created = await createdTask(state, taskId, createdSequence);
  if (created?.spec === undefined) throw new Error(`sequence ${createdSequence} does not hold task ${taskId}, which it is said to submit`);
  const { limits } = policy;
  const ends = [limits.startToFinishMs, limits.submitToFinishMs === 0 ? 0 : limits.submitToFinishMs - (startedAtUs - createdAtUs) / 1_000].filter(
    (ms) => ms > 0,
  );
  const { schedule, scheduledAtUs, retryOf, spec } = created;
  return {
    taskId,
    leaseToken: leaseTokenOf(lease),
    attempt: lease.attempt,
    spec,
    timeLeftMs: ends.length === 0 ? 0 : Math.max(1, Math.ceil(Math.min(...ends))),
    heartbeatEveryMs: Math.max(1, Math.floor(limits.heartbeatMs / 3)),
    scheduleId: schedule === '' ? '' : taskId.slice(0, taskId.lastIndexOf('/') + 1) + schedule,
    scheduledAt: schedule === '' ? undefined : timestampFromUs(scheduledAtUs),
    retryOf,
  };
}
