/** The projection of tasks: what it has to read, and what it writes. */
import type { RowWrite } from '@sluice/ports';
import { type DecodedCommit, type EventRecord, UnknownEventError } from '@sluice/protocol';
import { type AttemptEnd, taskEvents, taskpb } from '@sluice/protocol/task';
import { countIdOf } from './collections';
import { taskProjection } from './task-projection';

const NOTHING = new Map();

function commitOf(sequence: number, ...events: EventRecord[]): DecodedCommit {
  return { partition: 0, sequence, committedAtUs: 1_000_000 * sequence, events } as unknown as DecodedCommit;
}

const created = (count: number, queue = 'q') =>
  taskEvents.record('TasksCreated', {
    queue,
    firstNumber: 1n,
    tasks: Array.from({ length: count }, () => taskpb.CreatedTask.fromPartial({ spec: { type: 'mail', payload: Buffer.from('hello') } })),
  });
const started = (number: number) =>
  taskEvents.record('AttemptsStarted', {
    queue: 'q',
    workerId: 'w',
    keepsLimits: false,
    starts: [{ number, attempt: 1, type: 'mail', submittedAtUs: 1_000_000, firstStartedAtUs: 0 }],
  });
const ended = (end: Pick<AttemptEnd, 'number' | 'outcome' | 'retryAtUs'>): AttemptEnd => ({
  attempt: 1,
  result: undefined,
  failure: undefined,
  type: 'mail',
  submittedAtUs: 1_000_000,
  startedAtUs: 2_000_000,
  workerId: 'w',
  firstStartedAtUs: 2_000_000,
  note: '',
  countedUs: 0,
  ...end,
});
const succeeded = (number: number) =>
  taskEvents.record('AttemptsEnded', {
    queue: 'q',
    ends: [ended({ number, outcome: 1, retryAtUs: 0 })],
  });

function flush(fold: ReturnType<typeof taskProjection.open>, commits: readonly DecodedCommit[], loaded = NOTHING): RowWrite[] {
  for (const commit of commits) for (const event of commit.events) expect(fold.take(commit, event)).toBe(true);
  fold.missing();
  return fold.project(loaded, 'attempt').writes;
}

const rowsOf = (writes: readonly RowWrite[], collection: string) =>
  writes.flatMap((write) => (write.kind === 'put' && write.collection === collection ? [write.row] : []));

test('no row of a task is read to write its transitions', () => {
  const fold = taskProjection.open(0, [], 100);
  const commits = [commitOf(1, created(3)), commitOf(2, started(1)), commitOf(3, succeeded(1))];
  for (const commit of commits) for (const event of commit.events) fold.take(commit, event);
  expect([...fold.missing()]).toEqual([
    ['task_queues', ['q']],
    ['task_counts', [countIdOf('q', 'mail')]],
  ]);
  fold.project(NOTHING, 'first');
  const later = commitOf(4, started(2));
  for (const event of later.events) fold.take(later, event);
  expect([...fold.missing()]).toEqual([]);
});

test('a flush writes each row once, as the newest event says it', () => {
  const fold = taskProjection.open(0, [], 100);
  const writes = flush(fold, [commitOf(1, created(2)), commitOf(2, started(1)), commitOf(3, succeeded(1))]);
  expect(rowsOf(writes, 'task_states')).toMatchObject([
    { task_id: 'q/1', state: 'SUCCEEDED', version: 3, sequence: 3 },
    { task_id: 'q/2', state: 'SUBMITTED', version: 1, sequence: 1 },
  ]);
  expect(rowsOf(writes, 'task_counts')).toMatchObject([{ submitted: 1, running: 0, succeeded: 1, sequence: 3 }]);
});

test('a flush that is repeated, cut otherwise, counts nothing twice', () => {
  const commits = [commitOf(1, created(2)), commitOf(2, started(1)), commitOf(3, succeeded(1))];
  const [counts] = rowsOf(flush(taskProjection.open(0, [], 100), commits.slice(0, 2)), 'task_counts');
  const loaded = new Map([['task_counts', new Map([[countIdOf('q', 'mail'), counts as Record<string, never>]])]]);
  const again = flush(taskProjection.open(0, [], 100), commits, loaded as never);
  expect(rowsOf(again, 'task_counts')).toMatchObject([{ submitted: 1, running: 0, succeeded: 1, sequence: 3 }]);
});

const withoutSpec = () => taskEvents.record('TasksCreated', { queue: 'q', firstNumber: 3n, tasks: [taskpb.CreatedTask.fromPartial({})] });
const take = (fold: ReturnType<typeof taskProjection.open>, ...commits: DecodedCommit[]) => {
  for (const commit of commits) for (const event of commit.events) expect(fold.take(commit, event)).toBe(true);
};

test('a queue that cannot be folded is set aside from its first event of the flush on; the others go on', () => {
  const fold = taskProjection.open(0, [], 100);
  flush(fold, [commitOf(1, created(2))]);
  take(fold, commitOf(2, started(1), created(1, 'other')), commitOf(3, withoutSpec()), commitOf(4, started(2)));
  fold.missing();
  const { writes, setAside } = fold.project(NOTHING, 'attempt');
  expect(setAside).toEqual([{ aggregate: 'queue', key: 'q', partition: 0, sequence: 2, error: 'task q/3 is recorded without what it does' }]);
  expect(new Set(writes.flatMap((write) => (write.kind === 'put' ? [write.row.queue] : [])))).toEqual(new Set(['other']));
  expect(rowsOf(writes, 'task_states')).toMatchObject([{ task_id: 'other/1', state: 'SUBMITTED' }]);
  const later = [commitOf(5, started(2), created(1, 'other'))];
  expect(rowsOf(flush(fold, later), 'task_states')).toMatchObject([{ task_id: 'other/1' }]);
  // So does the next projector, which reads what is set aside.
  const reopened = taskProjection.open(0, setAside, 100);
  take(reopened, ...later);
  expect([...reopened.missing()].map(([collection]) => collection)).toEqual(['task_queues', 'task_counts']);
  expect(rowsOf(reopened.project(NOTHING, 'attempt').writes, 'task_states')).toMatchObject([{ task_id: 'other/1' }]);
});

test('a queue whose counts do not go on from the log is set aside, and none of its rows is written', () => {
  const fold = taskProjection.open(0, [], 100);
  take(fold, commitOf(2, started(1), created(1, 'other')));
  const forged = new Map([
    ['task_counts', new Map([[countIdOf('q', 'mail'), { submitted: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0, sequence: 1 }]])],
  ]);
  const { writes, setAside } = fold.project(forged, 'attempt');
  expect(setAside).toEqual([
    expect.objectContaining({ key: 'q', sequence: 2, error: 'the row has 0 submitted tasks of the type "mail", and the log has more' }),
  ]);
  expect(rowsOf(writes, 'task_states')).toMatchObject([{ task_id: 'other/1' }]);
});

test('an event of a later version stops the partition', () => {
  const fold = taskProjection.open(0, [], 100);
  const unknown = { ...created(1), version: 99 };
  expect(() => fold.take(commitOf(1, unknown), unknown)).toThrow(UnknownEventError);
});

test('a flush with more rows than are kept in memory goes on from all of them', () => {
  const fold = taskProjection.open(0, [], 4);
  const queues = ['a', 'b', 'c', 'd'];
  const count = (sequence: number) => rowsOf(flush(fold, [commitOf(sequence, ...queues.map((queue) => created(1, queue)))]), 'task_counts');
  const kept = new Map(count(1).map((row) => [row.count_id as string, row]));
  for (const event of queues.map((queue) => created(1, queue))) fold.take(commitOf(2, event), event);
  const missing = fold.missing().get('task_counts') ?? [];
  const loaded = new Map([['task_counts', new Map(missing.map((key) => [key, kept.get(key)]))]]);
  expect(rowsOf(fold.project(loaded as never, 'attempt').writes, 'task_counts').map(({ submitted }) => submitted)).toEqual([2, 2, 2, 2]);
});

test('a small payload is a field of its task, a large one a row of its own, and only children have a row by their parent', () => {
  const tasks = [
    taskpb.CreatedTask.fromPartial({ spec: { type: 'mail', payload: Buffer.alloc(1_024, 1) } }),
    taskpb.CreatedTask.fromPartial({ spec: { type: 'mail', payload: Buffer.alloc(1_025, 1), parentTaskId: 'q/1' } }),
    taskpb.CreatedTask.fromPartial({ spec: { type: 'mail' } }),
  ];
  const commit = commitOf(1, taskEvents.record('TasksCreated', { queue: 'q', firstNumber: 1n, tasks }));
  const writes = flush(taskProjection.open(0, [], 100), [commit]);
  const payloads = rowsOf(writes, 'tasks').map(({ payload }) => (payload === null ? null : (payload as Uint8Array).length));
  expect(payloads).toEqual([1_024, null, null]);
  expect(rowsOf(writes, 'task_payloads').map(({ task_id }) => task_id)).toEqual(['q/2']);
  expect(rowsOf(writes, 'task_children')).toEqual([{ task_id: 'q/2', parent_task_id: 'q/1', number: 2 }]);
});

test('tasks of several types in one commit count each for their own', () => {
  const tasks = ['a', 'b', 'a'].map((type) => taskpb.CreatedTask.fromPartial({ spec: { type } }));
  const commit = commitOf(1, taskEvents.record('TasksCreated', { queue: 'q', firstNumber: 1n, tasks }));
  const counts = rowsOf(flush(taskProjection.open(0, [], 100), [commit]), 'task_counts');
  expect(counts.map(({ type, submitted }) => [type, submitted])).toEqual([
    ['a', 2],
    ['b', 1],
  ]);
});

test('the newest attempt is in the state of its task, and those that another one follows have rows', () => {
  const fold = taskProjection.open(0, [], 100);
  const failed = taskEvents.record('AttemptsEnded', { queue: 'q', ends: [ended({ number: 1, outcome: 2, retryAtUs: 9_000_000 })] });
  const again = taskEvents.record('AttemptsStarted', {
    queue: 'q',
    workerId: 'other',
    keepsLimits: false,
    starts: [{ number: 1, attempt: 2, type: 'mail', submittedAtUs: 1_000_000, firstStartedAtUs: 2_000_000 }],
  });
  const between = flush(fold, [commitOf(1, created(1)), commitOf(2, started(1)), commitOf(3, failed)]);
  expect(rowsOf(between, 'task_attempts')).toMatchObject([{ attempt_id: 'q/1#1', worker_id: 'w', ended_at_us: 3_000_000, retry_at_us: 9_000_000 }]);
  expect(rowsOf(between, 'task_states')).toMatchObject([{ state: 'RUNNING', attempts: 1, worker_id: '', started_at_us: 0 }]);
  const under = flush(fold, [commitOf(4, again)]);
  expect(rowsOf(under, 'task_attempts')).toEqual([]);
  expect(rowsOf(under, 'task_states')).toMatchObject([{ state: 'RUNNING', attempts: 2, worker_id: 'other', started_at_us: 4_000_000 }]);
});
