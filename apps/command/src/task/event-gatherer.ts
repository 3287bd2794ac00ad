/**
 * Events of a turn on their way into its commit. What happens to the tasks of one queue, one after the other, is one event with many
 * tasks: a bulk of ten thousand submissions is one event, and so is what a worker takes at once.
 */
import type { Ending, TaskQueue } from '@sluice/domain/task';
import type { Turn } from '@sluice/engine';
import type { CommitWriter } from '@sluice/protocol';
import {
  type AttemptEnd,
  type AttemptsEnded,
  type AttemptsStarted,
  taskEvents,
  taskpb,
  writeAttemptsEnded,
  writeAttemptsStarted,
  writeTasksCreated,
} from '@sluice/protocol/task';
import { KIND_TO_PROTO, LIMIT_TO_PROTO, OUTCOME_TO_PROTO, STATE_TO_PROTO } from './proto-names';

/** A commit should not have one event that is read in one step and takes long. */
const MAXIMUM_EVENT_TASKS = 10_000;

type Gathered =
  | { readonly kind: 'created'; readonly event: taskpb.TasksCreated }
  | { readonly kind: 'started'; readonly event: AttemptsStarted }
  | { readonly kind: 'attemptsEnded'; readonly event: AttemptsEnded }
  | { readonly kind: 'ended'; readonly event: taskpb.TasksEnded }
  | { readonly kind: 'progress'; readonly event: taskpb.ProgressRecorded };

const WRITTEN = {
  created: taskEvents.written('TasksCreated'),
  started: taskEvents.written('AttemptsStarted'),
  attemptsEnded: taskEvents.written('AttemptsEnded'),
  ended: taskEvents.written('TasksEnded'),
  progress: taskEvents.written('ProgressRecorded'),
} as const;

/** What an ending says beside the decision. */
export interface EndingDetail {
  readonly result?: taskpb.TaskResult | undefined;
  readonly message?: string;
  readonly note?: string;
}

/** For which attempts are started. */
export interface StartingWorker {
  /** Empty: the work is done outside of workers. */
  readonly workerId: string;
  /** It keeps limits by its own clock. */
  readonly keepsLimits: boolean;
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
  started(turn: Turn, queue: TaskQueue, number: number, attempt: number, { workerId, keepsLimits }: StartingWorker): void {
    const { tasks } = queue;
    const slot = tasks.slotOf(number);
    const type = tasks.types[slot]?.name ?? '';
    const start = {
      number,
      attempt,
      type,
      submittedAtUs: tasks.createdAtUs[slot] as number,
      firstStartedAtUs: tasks.firstStartedAtUs[slot] as number,
    };
    const { open } = this;
    if (open?.kind === 'started' && open.event.queue === queue.name && open.event.workerId === workerId && open.event.keepsLimits === keepsLimits) {
      open.event.starts.push(start);
      return;
    }
    this.flush(turn);
    this.open = { kind: 'started', event: { queue: queue.name, workerId, keepsLimits, starts: [start] } };
  }

  /** To be called before the queue takes the ending in. @param endedAtUs when the end of an attempt came to be known, microseconds. */
  ended(turn: Turn, queue: TaskQueue, ending: Ending, detail: EndingDetail, endedAtUs: number): void {
    if (ending.event.kind === 'attemptEnded') this.attemptEnded(turn, queue, ending, detail, endedAtUs);
    else this.taskEnded(turn, queue, ending, detail);
  }

  private attemptEnded(turn: Turn, queue: TaskQueue, ending: Ending, detail: EndingDetail, endedAtUs: number): void {
    if (ending.event.kind !== 'attemptEnded') return;
    const { result, note = '', message = '' } = detail;
    const { number, attempt, outcome, retryAtUs } = ending.event;
    const { tasks } = queue;
    const slot = tasks.slotOf(number);
    const end: AttemptEnd = {
      number,
      attempt,
      outcome: OUTCOME_TO_PROTO[outcome],
      result,
      failure: failureOf(ending, message),
      retryAtUs,
      type: tasks.types[slot]?.name ?? '',
      submittedAtUs: tasks.createdAtUs[slot] as number,
      startedAtUs: tasks.startedAtUs[slot] as number,
      workerId: tasks.workers[slot] as string,
      firstStartedAtUs: tasks.firstStartedAtUs[slot] as number,
      note,
      countedUs: countedUs(endedAtUs, tasks.countedFromUs[slot] as number),
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
    const { type, version } = WRITTEN[open.kind];
    const { commit } = turn;
    const mark = commit.openEvent(type, version);
    write(commit.writer, open);
    commit.closeEvent(mark);
  }
}

/** 0: it was not handed out. */
function countedUs(endedAtUs: number, fromUs: number): number {
  return Number.isFinite(fromUs) ? Math.max(1, Math.round(endedAtUs - fromUs)) : 0;
}

function write(writer: CommitWriter['writer'], gathered: Gathered): void {
  switch (gathered.kind) {
    case 'created':
      return writeTasksCreated(writer, gathered.event);
    case 'started':
      return writeAttemptsStarted(writer, gathered.event);
    case 'attemptsEnded':
      return writeAttemptsEnded(writer, gathered.event);
    case 'ended':
      return writeWhole(writer, taskpb.TasksEnded.encode(gathered.event).finish());
    case 'progress':
      return writeWhole(writer, taskpb.ProgressRecorded.encode(gathered.event).finish());
    default:
      return gathered satisfies never;
  }
}

function writeWhole(writer: CommitWriter['writer'], payload: Uint8Array): void {
  writer.raw(payload, 0, payload.length);
}

function failureOf({ failure }: Ending, message: string): taskpb.TaskFailure | undefined {
  if (failure === undefined) return undefined;
  return { kind: KIND_TO_PROTO[failure.kind], limit: failure.limit === undefined ? 0 : LIMIT_TO_PROTO[failure.limit], message };
}
