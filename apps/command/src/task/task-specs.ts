/** What tasks are about, read from the commits that submitted them: payloads are not kept in memory. */
import { taskIdOf } from '@sluice/domain/task';
import type { DecodedCommit } from '@sluice/protocol';
import { taskEvents, type taskpb } from '@sluice/protocol/task';
import type { QueuesState } from './queues-state';

/** Tasks of a commit by their ids; each commit is looked through once, because its tasks are handed out together. */
const known = new WeakMap<DecodedCommit, ReadonlyMap<string, taskpb.CreatedTask>>();

function createdIn(commit: DecodedCommit): ReadonlyMap<string, taskpb.CreatedTask> {
  let tasks = known.get(commit);
  if (tasks === undefined) {
    tasks = new Map(createdTasksOf(commit));
    known.set(commit, tasks);
  }
  return tasks;
}

function* createdTasksOf(commit: DecodedCommit): Generator<[string, taskpb.CreatedTask]> {
  for (const event of commit.events) {
    const submitted = taskEvents.readOnly('TasksCreated', event, commit);
    for (const [at, task] of submitted?.tasks.entries() ?? []) yield [taskIdOf(submitted?.queue ?? '', Number(submitted?.firstNumber) + at), task];
  }
}

/**
 * Waits until the commit is durable; rejects with TurnLostError if it is lost. Undefined: the commit does not hold the task.
 *
 * @param sequence of the commit that submitted the task.
 */
export async function createdTask(state: QueuesState, taskId: string, sequence: number): Promise<taskpb.CreatedTask | undefined> {
  return createdIn(await state.services.recall(sequence)).get(taskId);
}
