/** Listings of tasks: through the index that leaves the fewest rows, and past those that the other filters leave out. */
import type { CollectionDefinition, ReadCopy, RowQuery } from '@sluice/ports';
import { labelOf, TASK_CHILDREN, TASK_LABELS, TASK_STATES, TASKS } from '@sluice/projections/task';
import { readTasks } from '@sluice/projections/task';
import { taskpb } from '@sluice/protocol/task';
import { checkedName, checkedPageSize, checkedTimeUs, checkKey } from '../request-shape';
import { placeOfPage, tokenOfPlace } from '../row-page-token';

const STATES = { names: taskpb.TaskState, prefix: 'TASK_STATE_', what: 'a state' };

/** Rows that a page with further filters looks at. */
const MAXIMUM_EXAMINED = 10_000;
const STEP_ROWS = 500;

interface Listing {
  readonly definition: CollectionDefinition;
  readonly query: Omit<RowQuery, 'after' | 'limit'>;
  readonly scope: readonly unknown[];
  readonly matches: (task: taskpb.Task) => boolean;
}

export async function listTasks(copy: ReadCopy, request: taskpb.ListTasksRequest): Promise<{ tasks: taskpb.Task[]; nextPageToken: string }> {
  const limit = checkedPageSize(request.pageSize);
  const { definition, query, scope, matches } = listingOf(request);
  let after = placeOfPage(definition, query, scope, request.pageToken);
  const tasks: taskpb.Task[] = [];
  for (let examined = 0; examined < MAXIMUM_EXAMINED; examined += STEP_ROWS) {
    // Never more rows than are still wanted, so that the page ends at the place where the next one goes on.
    const page = await copy.find({ ...query, after, limit: Math.min(STEP_ROWS, limit - tasks.length) });
    const found = await readTasks(
      copy,
      page.rows.map((row) => row.task_id as string),
    );
    for (const task of found) if (matches(task)) tasks.push(task);
    after = page.next;
    if (after === undefined || tasks.length === limit) break;
  }
  return { tasks, nextPageToken: tokenOfPlace(scope, after) };
}

function listingOf(request: taskpb.ListTasksRequest): Listing {
  const { queue, state, type, labelName, labelValue, submittedFrom, submittedBefore, newestFirst, parentTaskId } = request;
  if (parentTaskId === '') checkKey('queue', queue);
  const stateName = checkedName('state', STATES, state);
  const fromUs = submittedFrom === undefined ? 0 : checkedTimeUs('submitted_from', submittedFrom);
  const beforeUs = submittedBefore === undefined ? Number.POSITIVE_INFINITY : checkedTimeUs('submitted_before', submittedBefore);
  const direction = newestFirst ? ('descending' as const) : ('ascending' as const);
  const through = (definition: CollectionDefinition, index: string, equals: Readonly<Record<string, string>>) => ({
    definition,
    query: { collection: definition.name, index, equals, direction },
  });
  const chosen =
    parentTaskId !== ''
      ? through(TASK_CHILDREN, 'by_parent', { parent_task_id: parentTaskId })
      : labelName !== ''
        ? through(TASK_LABELS, 'by_label', { queue, label: labelOf(labelName, labelValue) })
        : stateName !== ''
          ? through(TASK_STATES, 'by_state', { queue, state: stateName })
          : type !== ''
            ? through(TASKS, 'by_type', { queue, type })
            : through(TASKS, 'by_queue', { queue });
  return {
    ...chosen,
    scope: ['tasks', queue, stateName, type, labelName, labelValue, fromUs, String(beforeUs), newestFirst, parentTaskId],
    matches: (task) => {
      const submittedUs = task.submittedAt === undefined ? 0 : Number(task.submittedAt.seconds) * 1e6 + task.submittedAt.nanos / 1e3;
      return (
        (queue === '' || task.queue === queue) &&
        (stateName === '' || task.state === state) &&
        (type === '' || task.spec?.type === type) &&
        (labelName === '' || task.spec?.labels[labelName] === labelValue) &&
        submittedUs >= fromUs &&
        submittedUs < beforeUs
      );
    },
  };
}
