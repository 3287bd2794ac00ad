/** What tasks are about, read from the commits that submitted them: payloads are not kept in memory. */
import type { TaskName } from '@sluice/domain/task';
import type { DecodedCommit } from '@sluice/protocol';
import { taskEvents, type taskpb } from '@sluice/protocol/task';
import type { QueuesState } from './queues-state';

/** Submissions of a commit; each commit is decoded once, because its tasks are handed out together. */
const known = new WeakMap<DecodedCommit, readonly taskpb.TasksCreated[]>();

/** The tasks that a commit submitted. */
export class SubmittedTasks {
  private constructor(private readonly events: readonly taskpb.TasksCreated[]) {}

  /**
   * Waits until the commit is durable; rejects with TurnLostError if it is lost.
   *
   * @param sequence of the commit that submitted the tasks.
   */
  static async read(state: QueuesState, sequence: number): Promise<SubmittedTasks> {
    const commit = await state.services.recall(sequence);
    let events = known.get(commit);
    if (events === undefined) {
      events = commit.events.flatMap((event) => taskEvents.readOnly('TasksCreated', event, commit) ?? []);
      known.set(commit, events);
    }
    return new SubmittedTasks(events);
  }

  /** Undefined: the commit does not hold the task. */
  get({ queue, number }: TaskName): taskpb.CreatedTask | undefined {
    for (const event of this.events) {
      if (event.queue !== queue) continue;
      // Numbers of one event follow each other.
      const task = event.tasks[number - Number(event.firstNumber)];
      if (task !== undefined) return task;
    }
    return undefined;
  }
}
