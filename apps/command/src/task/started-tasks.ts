/**
 * Attempts that were started, on their way to their worker: payloads are read from the log, a page at a time. What that takes is not the
 * worker's: the limits of an attempt count from when its page leaves, for the first time.
 */
import { type LeaseName, leaseTokenOf, type TaskPolicy } from '@sluice/domain/task';
import { timestampFromUs } from '@sluice/protocol';
import { AssignedPlainTask, PlainTask, type taskpb } from '@sluice/protocol/task';
import type { QueuesState } from './queues-state';
import { specBytes } from './task-shape';
import { SubmittedTasks } from './task-specs';

/** A page is full when it has so many bytes; the task that fills it is in it. */
const PAGE_BYTES = 1 << 20;
/** What a plain task takes beside its bytes. */
const FRAME_BYTES = 128;
/** Read at once. */
const TASKS_AT_ONCE = 16;

export interface Started {
  readonly queue: string;
  readonly taskId: string;
  readonly lease: LeaseName;
  readonly createdSequence: number;
  readonly policy: TaskPolicy;
  readonly createdAtUs: number;
}

export interface AssignedPage {
  readonly tasks: taskpb.AssignedTask[];
  /** Where the next page begins; 0: there is none. */
  readonly next: number;
}

export class StartedTasks {
  constructor(
    private readonly state: QueuesState,
    private readonly started: readonly Started[],
    private readonly nowUs: () => number,
  ) {}

  /** The tasks from that one on, as many as fit a message. */
  async page(from: number): Promise<AssignedPage> {
    const { state, started } = this;
    const specs: taskpb.CreatedTask[] = [];
    const submitted = new Map<number, SubmittedTasks>();
    let bytes = 0;
    while (from + specs.length < started.length && bytes < PAGE_BYTES) {
      const at = from + specs.length;
      const read = started.slice(at, at + TASKS_AT_ONCE);
      const missing = read.filter(({ createdSequence }) => !submitted.has(createdSequence));
      if (missing.length > 0) await readSubmitted(state, missing, submitted);
      for (const one of read) {
        if (bytes >= PAGE_BYTES) break;
        const created = createdBy(one, submitted.get(one.createdSequence));
        specs.push(created);
        bytes += bytesOf(created);
      }
    }
    const nowUs = this.nowUs();
    const tasks = specs.map((created, at) => {
      const one = started[from + at] as Started;
      return assigned(one, created, state.handedOut(one.queue, one.lease, nowUs), nowUs);
    });
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

/** Reads the commits that submitted the tasks, by sequence: most tasks that are started together were submitted together. */
async function readSubmitted(state: QueuesState, started: readonly Started[], submitted: Map<number, SubmittedTasks>): Promise<void> {
  const sequences = [...new Set(started.map(({ createdSequence }) => createdSequence))];
  await Promise.all(sequences.map(async (sequence) => submitted.set(sequence, await SubmittedTasks.read(state, sequence))));
}

function createdBy({ queue, taskId, lease, createdSequence }: Started, submitted: SubmittedTasks | undefined): taskpb.CreatedTask {
  const created = submitted?.get({ queue, number: lease.number });
  if (created === undefined || (!(created instanceof PlainTask) && created.spec === undefined))
    throw new Error(`sequence ${createdSequence} does not hold task ${taskId}, which it is said to submit`);
  return created;
}

function bytesOf(created: taskpb.CreatedTask): number {
  return created instanceof PlainTask ? FRAME_BYTES + created.end - created.at : specBytes(created.spec as taskpb.TaskSpec);
}

/** @param handedOutAtUs when it left for the first time. */
function assigned({ taskId, lease, policy, createdAtUs }: Started, created: taskpb.CreatedTask, handedOutAtUs: number, nowUs: number): taskpb.AssignedTask {
  const { startToFinishMs, submitToFinishMs, heartbeatMs } = policy.limits;
  const attemptEndsUs = startToFinishMs > 0 ? handedOutAtUs + startToFinishMs * 1_000 : Number.POSITIVE_INFINITY;
  const taskEndsUs = submitToFinishMs > 0 ? createdAtUs + submitToFinishMs * 1_000 : Number.POSITIVE_INFINITY;
  const endsUs = Math.min(attemptEndsUs, taskEndsUs);
  const timeLeftMs = Number.isFinite(endsUs) ? Math.max(1, Math.ceil((endsUs - nowUs) / 1_000)) : 0;
  const heartbeatEveryMs = Math.max(1, Math.floor(heartbeatMs / 3));
  const leaseToken = leaseTokenOf(lease);
  if (created instanceof PlainTask) return new AssignedPlainTask(taskId, leaseToken, lease.attempt, created, timeLeftMs, heartbeatEveryMs);
  const { schedule, scheduledAtUs, retryOf, spec } = created;
  return {
    taskId,
    leaseToken,
    attempt: lease.attempt,
    spec,
    timeLeftMs,
    heartbeatEveryMs,
    scheduleId: schedule === '' ? '' : taskId.slice(0, taskId.lastIndexOf('/') + 1) + schedule,
    scheduledAt: schedule === '' ? undefined : timestampFromUs(scheduledAtUs),
    retryOf,
  };
}
