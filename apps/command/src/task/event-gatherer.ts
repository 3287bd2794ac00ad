/**
 * Events of a turn on their way into its commit. What happens to the tasks of one queue, one after the other, is one event with many
 * tasks: a bulk of ten thousand submissions is one event, and so is what a worker takes at once.
 */
import type { Ending, TaskQueue } from '@sluice/domain/task';
import type { Turn } from '@sluice/engine';
import { taskEvents, type taskpb } from '@sluice/protocol/task';
import { KIND_TO_PROTO, LIMIT_TO_PROTO, OUTCOME_TO_PROTO, STATE_TO_PROTO } from './proto-names';

/** A commit should not have one event that is read in one step and takes long. */
const MAXIMUM_EVENT_TASKS = 10_000;

type Gathered =
  | { readonly kind: 'created'; readonly event: taskpb.TasksCreated }
  | { readonly kind: 'started'; readonly event: taskpb.AttemptsStarted }
  | { readonly kind: 'attemptsEnded'; readonly event: taskpb.AttemptsEnded }
  | { readonly kind: 'ended'; readonly event: taskpb.TasksEnded }
  | { readonly kind: 'progress'; readonly event: taskpb.ProgressRecorded };

/** What an ending says beside the decision. */
export interface EndingDetail {
  readonly result?: taskpb.TaskResult | undefined;
  readonly message?: string;
  readonly note?: string;
  /** When the end of an attempt came to be known, microseconds. */
  readonly endedAtUs?: number;
}

export class EventGatherer {
  private open: Gathered | undefined;

  created(turn: Turn, queue: TaskQueue, number: number, task: taskpb.CreatedTask): void {
    const { open } = this;
    if (open?.kind === 'created' && open.event.queue === queue.name && open.event.tasks.length < MAXIMUM_EVENT_TASKS) {
      // Numbers of one event follow each other.
      open.event.tasks.push(task);
      return;
    }
    this.flush(turn);
    this.open = { kind: 'created', event: { queue: queue.name, firstNumber: BigInt(number), tasks: [task] } };
  }

  /** To be called before the queue takes the start in. */
  started(turn: Turn, queue: TaskQueue, number: number, attempt: number, workerId: string): void {
    const { tasks } = queue;
    const slot = tasks.slotOf(number);
    const type = tasks.types[slot]?.name ?? '';
    const start = {
      number: BigInt(number),
      attempt,
      type,
      submittedAtUs: BigInt(tasks.createdAtUs[slot] as number),
      firstStartedAtUs: BigInt(tasks.firstStartedAtUs[slot] as number),
    };
    const { open } = this;
    if (open?.kind === 'started' && open.event.queue === queue.name && open.event.workerId === workerId) {
      open.event.starts.push(start);
      return;
    }
    this.flush(turn);
    this.open = { kind: 'started', event: { queue: queue.name, workerId, starts: [start] } };
  }

  /** To be called before the queue takes the ending in. */
  ended(turn: Turn, queue: TaskQueue, ending: Ending, detail: EndingDetail): void {
    if (ending.event.kind === 'attemptEnded') this.attemptEnded(turn, queue, ending, detail);
    else this.taskEnded(turn, queue, ending, detail);
  }

  private attemptEnded(turn: Turn, queue: TaskQueue, ending: Ending, detail: EndingDetail): void {
    if (ending.event.kind !== 'attemptEnded') return;
    const { result, note = '', message = '', endedAtUs = 0 } = detail;
    const { number, attempt, outcome, retryAtUs } = ending.event;
    const slot = queue.tasks.slotOf(number);
    const task = queue.tasks.recordOf(slot);
    const end: taskpb.AttemptEnd = {
      number: BigInt(number),
      attempt,
      outcome: OUTCOME_TO_PROTO[outcome],
      result,
      failure: failureOf(ending, message),
      retryAtUs: BigInt(retryAtUs),
      type: task.type,
      submittedAtUs: BigInt(task.createdAtUs),
      startedAtUs: BigInt(task.startedAtUs),
      workerId: task.workerId,
      firstStartedAtUs: BigInt(task.firstStartedAtUs),
      note,
      countedUs: BigInt(countedUs(endedAtUs, queue.tasks.countedFromUs[slot] as number)),
    };
    const { open } = this;
    if (open?.kind === 'attemptsEnded' && open.event.queue === queue.name) {
      open.event.ends.push(end);
      return;
    }
    this.flush(turn);
    this.open = { kind: 'attemptsEnded', event: { queue: queue.name, ends: [end] } };
  }

  private taskEnded(turn: Turn, queue: TaskQueue, ending: Ending, { note = '', message = '' }: EndingDetail): void {
    const task = queue.tasks.recordOf(queue.tasks.slotOf(ending.event.number));
    const end: taskpb.TaskEnd = {
      number: BigInt(task.number),
      state: STATE_TO_PROTO[ending.state],
      failure: failureOf(ending, message),
      note,
      type: task.type,
      submittedAtUs: BigInt(task.createdAtUs),
      attempts: task.attempts,
      firstStartedAtUs: BigInt(task.firstStartedAtUs),
    };
    const { open } = this;
    if (open?.kind === 'ended' && open.event.queue === queue.name) {
      open.event.ends.push(end);
      return;
    }
    this.flush(turn);
    this.open = { kind: 'ended', event: { queue: queue.name, ends: [end] } };
  }

  progress(turn: Turn, queue: TaskQueue, mark: taskpb.ProgressMark): void {
    const { open } = this;
    if (open?.kind === 'progress' && open.event.queue === queue.name) {
      open.event.marks.push(mark);
      return;
    }
    this.flush(turn);
    this.open = { kind: 'progress', event: { queue: queue.name, marks: [mark] } };
  }

  /** Writes what is gathered. */
  flush(turn: Turn): void {
    const { open } = this;
    this.open = undefined;
    if (open === undefined) return;
    const { type, version, payload } = recordOf(open);
    turn.commit.event(type, version, payload);
  }
}

/** 0: it was not handed out. */
function countedUs(endedAtUs: number, fromUs: number): number {
  return Number.isFinite(fromUs) ? Math.max(1, Math.round(endedAtUs - fromUs)) : 0;
}

function recordOf(gathered: Gathered) {
  switch (gathered.kind) {
    case 'created':
      return taskEvents.record('TasksCreated', gathered.event);
    case 'started':
      return taskEvents.record('AttemptsStarted', gathered.event);
    case 'attemptsEnded':
      return taskEvents.record('AttemptsEnded', gathered.event);
    case 'ended':
      return taskEvents.record('TasksEnded', gathered.event);
    case 'progress':
      return taskEvents.record('ProgressRecorded', gathered.event);
    default:
      return gathered satisfies never;
  }
}

function failureOf({ failure }: Ending, message: string): taskpb.TaskFailure | undefined {
  if (failure === undefined) return undefined;
  return { kind: KIND_TO_PROTO[failure.kind], limit: failure.limit === undefined ? 0 : LIMIT_TO_PROTO[failure.limit], message };
}
