/** What rows of tasks must say, folded from the log once more: where each task stands, and how many of each state a queue has. */
import type { Row } from '@sluice/ports';
import type { DecodedCommit } from '@sluice/protocol';
import { PlainTask, taskEvents, taskpb } from '@sluice/protocol/task';
import { rowKind, verifyRows } from '../row-verification';
import { countIdOf, QUEUE_AGGREGATE, queueOf, TASK_COUNTS, TASK_STATES } from './collections';

interface VerifiedTask {
  readonly queue: string;
  readonly type: string;
  readonly state: string;
  readonly version: number;
  readonly attempts: number;
}

type Counts = Readonly<Record<'SUBMITTED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED', number>>;

interface VerifiedCounts {
  readonly queue: string;
  readonly type: string;
  readonly counts: Counts;
}

/** A step of a task from one state to the next, or within RUNNING. */
interface Step {
  readonly queue: string;
  readonly number: number;
  readonly type: string;
  readonly from: keyof Counts | undefined;
  readonly to: keyof Counts;
  readonly attempts: number;
}

function* stepsOf(commit: DecodedCommit): Generator<Step> {
  for (const event of commit.events) {
    const created = taskEvents.readOnly('TasksCreated', event, commit);
    for (const [at, task] of created?.tasks.entries() ?? []) {
      const { queue, firstNumber } = created as taskpb.TasksCreated;
      const type = task instanceof PlainTask ? task.type : (task.spec?.type ?? '');
      yield { queue, number: Number(firstNumber) + at, type, from: undefined, to: 'SUBMITTED', attempts: 0 };
    }
    const started = taskEvents.readOnly('AttemptsStarted', event, commit);
    for (const { number, type, attempt } of started?.starts ?? [])
      yield { queue: started?.queue ?? '', number, type, from: attempt === 1 ? 'SUBMITTED' : 'RUNNING', to: 'RUNNING', attempts: attempt };
    const ended = taskEvents.readOnly('AttemptsEnded', event, commit);
    for (const { number, type, attempt, outcome, retryAtUs } of ended?.ends ?? []) {
      const to = retryAtUs > 0 ? 'RUNNING' : endOf(outcome);
      yield { queue: ended?.queue ?? '', number, type, from: 'RUNNING', to, attempts: attempt };
    }
    const without = taskEvents.readOnly('TasksEnded', event, commit);
    for (const { number, type, attempts, state } of without?.ends ?? []) {
      const to = state === taskpb.TaskState.TASK_STATE_FAILED ? 'FAILED' : 'CANCELLED';
      yield { queue: without?.queue ?? '', number: Number(number), type, from: attempts > 0 ? 'RUNNING' : 'SUBMITTED', to, attempts };
    }
  }
}

function endOf(outcome: taskpb.AttemptOutcome): keyof Counts {
  if (outcome === taskpb.AttemptOutcome.ATTEMPT_OUTCOME_SUCCEEDED) return 'SUCCEEDED';
  return outcome === taskpb.AttemptOutcome.ATTEMPT_OUTCOME_FAILED ? 'FAILED' : 'CANCELLED';
}

const VERSIONS: Readonly<Record<keyof Counts, number>> = { SUBMITTED: 1, RUNNING: 2, SUCCEEDED: 3, FAILED: 3, CANCELLED: 3 };

const taskRows = rowKind<VerifiedTask>({
  aggregate: 'task',
  collection: TASK_STATES,
  partitionKey: (taskId) => taskId.slice(0, taskId.lastIndexOf('/')),
  counted: 'tasks',
  setAsideWith: QUEUE_AGGREGATE,
  fold: (commit, change) => {
    for (const { queue, number, type, to, attempts } of stepsOf(commit))
      change(`${queue}/${number}`, () => ({ queue, type, state: to, version: VERSIONS[to], attempts }));
  },
  row: ({ queue, type, state, version, attempts }): Row => ({ queue, type, state, version, attempts }),
});

const countRows = rowKind<VerifiedCounts>({
  aggregate: 'queue',
  collection: TASK_COUNTS,
  partitionKey: queueOf,
  counted: 'task types',
  setAsideWith: QUEUE_AGGREGATE,
  fold: (commit, change) => {
    for (const { queue, type, from, to } of stepsOf(commit)) {
      change(countIdOf(queue, type), (before) => {
        const counts = { ...(before?.counts ?? { SUBMITTED: 0, RUNNING: 0, SUCCEEDED: 0, FAILED: 0, CANCELLED: 0 }) };
        if (from !== undefined) counts[from] -= 1;
        counts[to] += 1;
        return { queue, type, counts };
      });
    }
  },
  row: ({ queue, type, counts }): Row => ({
    queue,
    type,
    submitted: counts.SUBMITTED,
    running: counts.RUNNING,
    succeeded: counts.SUCCEEDED,
    failed: counts.FAILED,
    cancelled: counts.CANCELLED,
  }),
});

export const taskVerification = verifyRows(taskRows, countRows);
