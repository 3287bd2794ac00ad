/** Tasks from submission to end: what callers and workers are answered, over crashes and starts from snapshots. */
import { Partition } from '@sluice/engine';
import { taskpb } from '@sluice/protocol/task';
import { reasonOf } from '../test/command-under-test';
import { leaseOf, specOf, TasksUnderTest } from '../test/tasks-under-test';

let tasks: TasksUnderTest;
beforeEach(async () => {
  tasks = await TasksUnderTest.start();
});
afterEach(() => tasks.stop());

const RUNNING = taskpb.TaskState.TASK_STATE_RUNNING;
const SUCCEEDED = taskpb.TaskState.TASK_STATE_SUCCEEDED;
const CANCELLED = taskpb.TaskState.TASK_STATE_CANCELLED;

describe('submissions', () => {
  test('a task has its id at once, a repeat gets the same, another body is refused, from the log and from a snapshot', async () => {
    const request = { requestId: 'r', queue: 'q', task: specOf({ type: 'mail', payload: Buffer.from('hello'), labels: { to: 'a', from: 'b' } }) };
    expect((await tasks.call('createTask', request)).task).toEqual({ taskId: 'q/1', state: 1, version: 1, repeated: false, existing: false });
    for (const restart of [() => tasks.crash(), () => tasks.restart(), async () => undefined]) {
      await restart();
      expect((await tasks.call('createTask', request)).task).toMatchObject({ taskId: 'q/1', repeated: true });
      expect(await reasonOf(tasks.call('createTask', { ...request, task: specOf({ type: 'mail' }) }))).toBe('REQUEST_ID_REUSED');
    }
    expect(await tasks.create('mail')).toBe('q/2');
  });

  test('a bulk has a result for each task in its order, and one event', async () => {
    const items = Array.from({ length: 500 }, (_, at) => ({ requestId: `r${at}`, task: specOf({ type: at === 7 ? '' : 'mail' }) }));
    const { results } = await tasks.call('createTasks', { queue: 'q', tasks: items });
    expect(results.map(({ task, error }) => task?.taskId ?? error?.reason)).toEqual(
      items.map((_, at) => (at === 7 ? 'INVALID_REQUEST' : `q/${at < 7 ? at + 1 : at}`)),
    );
    expect(tasks.eventTypes()).toEqual(['TasksCreated']);
    const again = await tasks.call('createTasks', { queue: 'q', tasks: items });
    expect(again.results[499]?.task).toMatchObject({ taskId: 'q/499', repeated: true });
  });

  test('a bulk whose turn is lost is refused task by task, and taken when it comes again', async () => {
    const request = { queue: 'q', tasks: [{ requestId: 'a', task: specOf({ type: 'mail' }) }] };
    tasks.faults.failNextAppend();
    expect((await tasks.call('createTasks', request)).results[0]?.error?.reason).toBe('PARTITION_UNAVAILABLE');
    await tasks.restart();
    expect((await tasks.call('createTasks', request)).results[0]?.task?.taskId).toBe('q/1');
  });

  test('a dedupe key refuses, finds, or replaces a task that has not ended', async () => {
    const spec = (rule: taskpb.DedupeRule) => ({ queue: 'q', task: specOf({ type: 'mail', dedupeKey: 'd', dedupeRule: rule }) });
    expect((await tasks.call('createTask', spec(0))).task?.taskId).toBe('q/1');
    expect(await reasonOf(tasks.call('createTask', spec(1)))).toBe('TASK_DUPLICATE');
    expect((await tasks.call('createTask', spec(2))).task).toMatchObject({ taskId: 'q/1', existing: true });
    expect((await tasks.call('createTask', spec(3))).task).toMatchObject({ taskId: 'q/2', existing: false });
    expect(await reasonOf(tasks.call('cancelTask', { taskId: 'q/1' }))).toBe('TASK_ENDED');
    await tasks.call('cancelTask', { taskId: 'q/2' });
    expect((await tasks.call('createTask', spec(1))).task?.taskId).toBe('q/3');
  });

  test.each`
    what                       | spec
    ${'no type'}               | ${{}}
    ${'a payload too large'}   | ${{ type: 't', payload: Buffer.alloc(262_145) }}
    ${'a priority too high'}   | ${{ type: 't', priority: 1_000_001 }}
    ${'two starts'}            | ${{ type: 't', delayMs: 1, startAt: { seconds: 1n, nanos: 0 } }}
    ${'a parent that is none'} | ${{ type: 't', parentTaskId: 'nobody' }}
    ${'a hectic heartbeat'}    | ${{ type: 't', limits: { heartbeatMs: 5 } }}
  `('$what is refused', async ({ spec }: { spec: object }) => {
    expect(await reasonOf(tasks.call('createTask', { queue: 'q', task: specOf(spec) }))).toBe('INVALID_REQUEST');
  });
});

describe('state versions', () => {
  test('a change passes only from the version that it expects, and only to the next level', async () => {
    const taskId = await tasks.create('manual');
    const update = (expectedVersion: number, state: taskpb.TaskState) => reasonOf(tasks.call('updateTaskState', { taskId, expectedVersion, state }));
    expect(await update(2, SUCCEEDED)).toBe('STATE_VERSION_MISMATCH');
    expect(await update(1, SUCCEEDED)).toBe('STATE_NOT_NEXT');
    expect(await update(1, RUNNING)).toBe('accepted');
    expect(await update(1, RUNNING)).toBe('STATE_VERSION_MISMATCH');
    expect(await reasonOf(tasks.call('cancelTask', { taskId, expectedVersion: 1 }))).toBe('STATE_VERSION_MISMATCH');
    expect(await update(2, SUCCEEDED)).toBe('accepted');
    expect(await update(2, CANCELLED)).toBe('STATE_VERSION_MISMATCH');
    expect(await reasonOf(tasks.call('cancelTask', { taskId }))).toBe('TASK_ENDED');
    expect(await reasonOf(tasks.call('cancelTask', { taskId: 'q/9' }))).toBe('TASK_NOT_FOUND');
  });

  test('a start by a caller waits for its key, and the same request starts the task when the key is free', async () => {
    const first = await tasks.create('manual', { key: 'k' });
    const second = await tasks.create('manual', { key: 'k' });
    const begin = (requestId: string, taskId: string) => reasonOf(tasks.call('updateTaskState', { requestId, taskId, expectedVersion: 1, state: RUNNING }));
    expect(await begin('out of order', second)).toBe('TASK_NOT_STARTABLE');
    expect(await begin('first', first)).toBe('accepted');
    expect(await begin('second', second)).toBe('TASK_NOT_STARTABLE');
    expect(await reasonOf(tasks.call('updateTaskState', { taskId: first, expectedVersion: 2, state: SUCCEEDED }))).toBe('accepted');
    expect(await begin('second', second)).toBe('accepted');
  });

  test('an ended task is done again as a new one, which names it', async () => {
    const taskId = await tasks.create('mail', { payload: Buffer.from('hello') });
    expect(await reasonOf(tasks.call('retryTask', { taskId }))).toBe('TASK_NOT_ENDED');
    await tasks.call('cancelTask', { taskId });
    await tasks.restart();
    const request = { requestId: 'again', taskId };
    expect((await tasks.call('retryTask', request)).task?.taskId).toBe('q/2');
    expect((await tasks.call('retryTask', request)).task).toMatchObject({ taskId: 'q/2', repeated: true });
    const worker = tasks.worker();
    expect(await worker.task()).toMatchObject({ taskId: 'q/2', retryOf: 'q/1', spec: { payload: Buffer.from('hello') } });
    await worker.cut();
  });
});

describe('workers', () => {
  test('a task reaches a worker that waits, and its completion is recorded once', async () => {
    const worker = tasks.worker();
    const taskId = await tasks.create('mail', { payload: Buffer.from('hello') });
    const task = await worker.task();
    expect(task).toMatchObject({ taskId, attempt: 1, spec: { type: 'mail', payload: Buffer.from('hello') } });
    expect(await worker.complete(task, 'done')).toBe('');
    expect(await worker.complete(task, 'done')).toBe('');
    expect(tasks.eventTypes()).toEqual(['TasksCreated', 'AttemptsStarted', 'AttemptsEnded']);
    await worker.cut();
  });

  test('a worker whose partition takes no turns now asks again after a pause, not at once', async () => {
    await tasks.create('mail');
    const submit = jest.spyOn(Partition.prototype, 'submit').mockImplementation(() => {
      throw new Error('no turns now');
    });
    const worker = tasks.worker();
    const rounds = async (): Promise<number> => {
      for (let round = 0; round < 100; round += 1) await new Promise((resolve) => setImmediate(resolve));
      return submit.mock.calls.length;
    };
    const asked = await rounds();
    expect(asked).toBeGreaterThan(0);
    expect(await rounds()).toBe(asked);
    submit.mockRestore();
    tasks.clock.advance(50);
    await worker.task();
    await worker.cut();
  });

  test('a completion that is repeated to an owner that loaded a snapshot is answered as recorded', async () => {
    const worker = tasks.worker();
    await tasks.create('mail');
    const task = await worker.task();
    expect(await worker.complete(task, 'done')).toBe('');
    await worker.cut();
    await tasks.restart();
    const again = tasks.worker();
    expect(await again.complete(task, 'done')).toBe('');
    expect(await again.fail(task, 'no')).toBe('LEASE_LOST');
    await again.cut();
  });

  test('the commit that submits a task starts it for a worker that waits', async () => {
    const worker = tasks.worker({ capacity: 1 });
    await worker.until(({ subscribed }) => subscribed || undefined);
    const before = tasks.typesByCommit('q').length;
    await tasks.create('mail');
    expect(tasks.typesByCommit('q').slice(before)).toEqual([['task.TasksCreated', 'task.AttemptsStarted']]);
    await worker.task();
    // It has no room for another one.
    await tasks.create('mail');
    expect(tasks.typesByCommit('q').slice(before + 1)).toEqual([['task.TasksCreated']]);
    await worker.cut();
  });

  test('a start whose commit is lost never reaches the worker; it is given the task that is submitted again', async () => {
    const worker = tasks.worker({ capacity: 1 });
    await worker.until(({ subscribed }) => subscribed || undefined);
    tasks.log.faults.failNextAppend();
    const submit = (): Promise<string> => reasonOf(tasks.call('createTask', { requestId: 'r', queue: 'q', task: specOf({ type: 'mail' }) }));
    expect(await submit()).toBe('PARTITION_UNAVAILABLE');
    // The partition is loaded again, and the worker asks again.
    while ((await submit()) === 'PARTITION_UNAVAILABLE') await tasks.clock.elapse(100);
    await tasks.clock.elapse(2_000);
    expect((await worker.task()).taskId).toBe('q/1');
    await worker.cut();
  });

  test('starts in place of reported ends share a commit with them', async () => {
    for (let at = 0; at < 2; at += 1) await tasks.create('mail');
    const worker = tasks.worker({ capacity: 1 });
    const first = await worker.task();
    const before = tasks.typesByCommit('q').length;
    expect(await worker.complete(first)).toBe('');
    await worker.task();
    expect(tasks.typesByCommit('q').slice(before)).toEqual([['task.AttemptsEnded', 'task.AttemptsStarted']]);
    await worker.cut();
  });

  test('a worker has no more than its capacity, and only its types', async () => {
    for (let at = 0; at < 5; at += 1) await tasks.create('a');
    await tasks.create('b', { priority: 9 });
    const worker = tasks.worker({ capacity: 2, types: ['a'] });
    const first = await worker.until(({ tasks: [task, ...rest] }) => (task === undefined ? undefined : [task, ...rest]));
    expect(first.map(({ taskId }) => taskId)).toEqual(['q/1', 'q/2']);
    expect(await worker.complete(first[0] as taskpb.AssignedTask)).toBe('');
    expect((await worker.task()).taskId).toBe('q/3');
    await worker.cut();
  });

  test('failures are tried again after their pauses, then the task is dead', async () => {
    const taskId = await tasks.create('mail', { retry: { maximumAttempts: 2, firstPauseMs: 500 } });
    const worker = tasks.worker();
    expect(await worker.fail(await worker.task(), 'no connection')).toBe('');
    await tasks.clock.elapse(1_000);
    const second = await worker.task();
    expect(second).toMatchObject({ taskId, attempt: 2 });
    expect(await worker.fail(second, 'no connection')).toBe('');
    expect(await reasonOf(tasks.call('cancelTask', { taskId }))).toBe('TASK_ENDED');
    await worker.cut();
  });

  test('a lease survives the stream and the process; what another attempt has is refused', async () => {
    await tasks.create('mail');
    const worker = tasks.worker();
    const task = await worker.task();
    await worker.cut();
    await tasks.crash();
    const back = tasks.worker({ held: [leaseOf(task)] });
    back.send({ heartbeats: [{ lease: leaseOf(task), progress: undefined }] });
    expect(await back.until(({ heard }) => heard[0]?.taskId)).toBe(task.taskId);
    expect(await back.complete({ ...task, leaseToken: '1.2.3' })).toBe('LEASE_LOST');
    expect(await back.complete(task)).toBe('');
    await back.cut();
  });

  test('a worker that gives no sign of life loses its task within the heartbeat limit, and what it sends then is refused', async () => {
    await tasks.create('mail', { limits: { heartbeatMs: 1_000 }, retry: { firstPauseMs: 1 } });
    const zombie = tasks.worker();
    const task = await zombie.task();
    await zombie.cut();
    const worker = tasks.worker({ workerId: 'other' });
    await tasks.clock.elapse(1_100);
    const second = await worker.task();
    expect(second).toMatchObject({ taskId: task.taskId, attempt: 2 });
    expect(await worker.complete(task)).toBe('LEASE_LOST');
    expect(await worker.complete(second)).toBe('');
    await worker.cut();
  });

  test('heartbeats keep a task, with progress that is recorded', async () => {
    await tasks.create('mail', { limits: { heartbeatMs: 1_000 } });
    const worker = tasks.worker();
    const task = await worker.task();
    for (let done = 1; done <= 4; done += 1) {
      worker.send({ heartbeats: [{ lease: leaseOf(task), progress: { done, total: 4, text: 'parts' } }] });
      await worker.until(({ heard }) => heard[0]);
      await tasks.clock.elapse(800);
    }
    expect(await worker.complete(task)).toBe('');
    expect(tasks.eventTypes().filter((type) => type === 'ProgressRecorded')).toHaveLength(4);
    await worker.cut();
  });

  test('a cancellation and a time limit reach the worker at once, and what it sends then is refused', async () => {
    const cancelled = await tasks.create('a');
    const slow = await tasks.create('b', { limits: { startToFinishMs: 300 } });
    const worker = tasks.worker();
    const leases = await worker.until(({ tasks: found }) => (found.length === 0 ? undefined : found));
    expect(leases.map(({ taskId }) => taskId)).toEqual([cancelled, slow]);
    await tasks.call('cancelTask', { taskId: cancelled });
    expect(await worker.stopped()).toMatchObject({ lease: { taskId: cancelled }, cause: taskpb.StopCause.STOP_CAUSE_CANCELLED });
    await tasks.clock.elapse(400);
    expect(await worker.stopped()).toMatchObject({
      lease: { taskId: slow },
      cause: taskpb.StopCause.STOP_CAUSE_TIME_LIMIT,
      limit: taskpb.TimeLimit.TIME_LIMIT_START_TO_FINISH,
    });
    for (const lease of leases) expect(await worker.complete(lease)).toBe('LEASE_LOST');
    await worker.cut();
  });

  test('the limit of an attempt counts from its hand-out, however long its start takes to be durable', async () => {
    await tasks.create('mail', { limits: { startToFinishMs: 300 } });
    const release = tasks.faults.holdAppends();
    const worker = tasks.worker();
    await tasks.faults.whenHeld(1);
    await tasks.clock.elapse(250);
    release();
    const task = await worker.task();
    expect(task.timeLeftMs).toBe(300);
    await tasks.clock.elapse(299);
    expect(await worker.complete(task)).toBe('');
    await worker.cut();
  });

  test('an attempt whose hand-out took longer than its limit has the whole limit, and no more', async () => {
    await tasks.create('mail', { limits: { startToFinishMs: 300 } });
    const release = tasks.faults.holdAppends();
    const worker = tasks.worker();
    await tasks.faults.whenHeld(1);
    await tasks.clock.elapse(1_000);
    release();
    const task = await worker.task();
    await tasks.clock.elapse(300);
    expect(await worker.stopped()).toMatchObject({ lease: { taskId: task.taskId }, cause: taskpb.StopCause.STOP_CAUSE_TIME_LIMIT });
    expect(await worker.complete(task)).toBe('LEASE_LOST');
    await worker.cut();
  });

  test('a report that came in time is not late because it waits for its turn', async () => {
    await tasks.create('mail', { limits: { startToFinishMs: 300 } });
    const worker = tasks.worker();
    const task = await worker.task();
    const release = tasks.faults.holdAppends();
    // One commit is on its way, the next turn is decided: what comes now waits.
    const others: Promise<string>[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      others.push(tasks.create('mail', {}, 'q'));
      await tasks.clock.elapse(1);
    }
    await tasks.clock.elapse(290);
    const verdict = worker.complete(task);
    // It reaches the queue; then its limit passes.
    await tasks.clock.elapse(0);
    await tasks.clock.elapse(100);
    release();
    expect(await verdict).toBe('');
    await Promise.all(others);
    await worker.cut();
  });

  test('a report that came while the owner stood still is not late for that', async () => {
    await tasks.create('mail', { limits: { startToFinishMs: 300 } });
    const worker = tasks.worker();
    const task = await worker.task();
    await tasks.clock.elapse(200);
    // It stands still beyond the limit; its timers are the first that go on, then it reads what came.
    tasks.clock.set(tasks.clock.nowUs() + 1_000_000);
    const verdict = worker.complete(task);
    await tasks.clock.elapse(150);
    expect(await verdict).toBe('');
    await worker.cut();
  });

  test('a worker that keeps limits has the whole limit, however long the way to it and back takes', async () => {
    for (let count = 0; count < 4; count += 1) await tasks.create('mail', { limits: { startToFinishMs: 300 }, retry: { maximumAttempts: 1 } });
    const worker = tasks.worker({ keepsLimits: true });
    const [done, slow, over, silent] = await worker.until<taskpb.AssignedTask[]>(({ tasks: taken }) => (taken.length === 4 ? taken : undefined));
    expect(done?.timeLeftMs).toBe(300);
    await tasks.clock.elapse(1_000);
    expect(await worker.complete(done as taskpb.AssignedTask, 'done', 299_999n)).toBe('');
    expect(await worker.complete(slow as taskpb.AssignedTask, 'done', 300_000n)).toBe('LEASE_LOST');
    expect(await worker.timeOver(over as taskpb.AssignedTask, 300_001n)).toBe('');
    expect(await worker.timeOver(over as taskpb.AssignedTask, 300_001n)).toBe('');
    // It says nothing: the owner waits for the way, and ends the attempt.
    await tasks.clock.elapse(1_299);
    expect(worker.answers.some(({ stops }) => stops.length > 0)).toBe(false);
    await tasks.clock.elapse(1);
    expect(await worker.stopped()).toMatchObject({ lease: { taskId: silent?.taskId }, cause: taskpb.StopCause.STOP_CAUSE_TIME_LIMIT });
    const ends = tasks.events().flatMap(({ type, payload }) => (type === 'task.AttemptsEnded' ? taskpb.AttemptsEnded.decode(payload).ends : []));
    const START_TO_FINISH = taskpb.TimeLimit.TIME_LIMIT_START_TO_FINISH;
    expect(ends.map(({ countedUs, failure }) => [countedUs, failure?.limit])).toEqual([
      [299_999n, undefined],
      [300_000n, START_TO_FINISH],
      [300_001n, START_TO_FINISH],
      [300_000n, START_TO_FINISH],
    ]);
    await worker.cut();
  });

  test('a worker that keeps limits says which one is over where a task has two', async () => {
    const taskId = await tasks.create('mail', { limits: { startToFinishMs: 5_000, submitToFinishMs: 9_000 }, retry: { maximumAttempts: 1 } });
    await tasks.clock.elapse(8_000);
    const worker = tasks.worker({ keepsLimits: true });
    const task = await worker.task();
    expect(task).toMatchObject({ taskId, timeLeftMs: 1_000 });
    expect(await worker.timeOver(task, 999_800n)).toBe('');
    const ends = tasks.events().flatMap(({ type, payload }) => (type === 'task.AttemptsEnded' ? taskpb.AttemptsEnded.decode(payload).ends : []));
    expect(ends[0]?.failure).toMatchObject({ kind: taskpb.FailureKind.FAILURE_KIND_TIME_LIMIT, limit: taskpb.TimeLimit.TIME_LIMIT_SUBMIT_TO_FINISH });
    await worker.cut();
  });

  test('an owner whose clock is behind that of the owner before cuts no attempt off before its limit', async () => {
    await tasks.create('mail', {}, 'another queue');
    tasks.clock.set(tasks.clock.nowUs() - 60_000_000);
    await tasks.restart();
    const short = await tasks.create('mail', { limits: { startToFinishMs: 300 } });
    const long = await tasks.create('mail', { limits: { startToFinishMs: 5_000, heartbeatMs: 2_000 } });
    const worker = tasks.worker();
    const found = await worker.until(({ tasks: taken }) => (taken.length === 2 ? taken : undefined));
    await tasks.clock.elapse(400);
    expect(await worker.stopped()).toMatchObject({ lease: { taskId: short }, cause: taskpb.StopCause.STOP_CAUSE_TIME_LIMIT });
    expect(await worker.complete(found.find(({ taskId }) => taskId === long) as taskpb.AssignedTask)).toBe('');
    await worker.cut();
  });

  test('an owner that stood still ends what nobody reported', async () => {
    await tasks.create('mail', { limits: { startToFinishMs: 300 } });
    const worker = tasks.worker();
    const task = await worker.task();
    await tasks.clock.elapse(200);
    tasks.clock.set(tasks.clock.nowUs() + 1_000_000);
    await tasks.clock.elapse(150);
    expect(await worker.stopped()).toMatchObject({ lease: { taskId: task.taskId }, cause: taskpb.StopCause.STOP_CAUSE_TIME_LIMIT });
    expect(await worker.complete(task)).toBe('LEASE_LOST');
    await worker.cut();
  });

  test.each(['restart', 'crash'] as const)(
    'a worker that keeps limits reports to the next owner what it did in time while there was none (%s)',
    async (end) => {
      for (let count = 0; count < 3; count += 1) await tasks.create('mail', { limits: { startToFinishMs: 1_000 }, retry: { maximumAttempts: 1 } });
      const worker = tasks.worker({ keepsLimits: true });
      const taken = await worker.until<taskpb.AssignedTask[]>(({ tasks: some }) => (some.length === 3 ? some : undefined));
      const [done, over, silent] = taken as [taskpb.AssignedTask, taskpb.AssignedTask, taskpb.AssignedTask];
      await worker.cut();
      // Longer than the limit and what the owner allows for the way.
      tasks.clock.set(tasks.clock.nowUs() + 5_000_000);
      await tasks[end]();
      const back = tasks.worker({ held: taken.map(leaseOf), keepsLimits: true });
      expect(await back.complete(done, 'done', 999_999n)).toBe('');
      expect(await back.complete(over, 'done', 1_000_000n)).toBe('LEASE_LOST');
      // It says nothing: the owner waits for it as long as it waits for the way.
      await tasks.clock.elapse(1_999);
      expect(back.answers.some(({ stops }) => stops.length > 0)).toBe(false);
      await tasks.clock.elapse(1);
      expect(await back.stopped()).toMatchObject({ lease: { taskId: silent.taskId }, cause: taskpb.StopCause.STOP_CAUSE_TIME_LIMIT });
      await back.cut();
    },
  );

  test('a time limit that is over while there is no owner stands before a report and a start that come first at the next one', async () => {
    const runs = await tasks.create('mail', { limits: { startToFinishMs: 1_000, heartbeatMs: 60_000 } });
    const worker = tasks.worker({ capacity: 1 });
    const task = await worker.task();
    const waits = await tasks.create('mail', { limits: { submitToStartMs: 1_000 } });
    const later = await tasks.create('mail');
    await worker.cut();
    await tasks.stop();
    await tasks.clock.elapse(2_000);
    await tasks.restart();
    const back = tasks.worker({ held: [leaseOf(task)] });
    expect(await back.complete(task)).toBe('LEASE_LOST');
    expect((await back.task()).taskId).toBe(later);
    expect(await reasonOf(tasks.call('cancelTask', { taskId: runs }))).toBe('TASK_ENDED');
    expect(await reasonOf(tasks.call('cancelTask', { taskId: waits }))).toBe('TASK_ENDED');
    await back.cut();
  });

  test('a worker that says goodbye gives its tasks back at once; they do not count as failed', async () => {
    await tasks.create('mail', { retry: { maximumAttempts: 1 } });
    const worker = tasks.worker();
    const task = await worker.task();
    worker.send({ returned: [leaseOf(task)], draining: true });
    await worker.ended;
    const next = tasks.worker({ workerId: 'next' });
    expect(await next.task()).toMatchObject({ taskId: task.taskId, attempt: 2 });
    await next.cut();
  });
});

describe('queues', () => {
  test('a paused queue starts nothing until it is resumed, over a restart', async () => {
    await tasks.call('pauseQueue', { queue: 'q' });
    await tasks.create('mail');
    await tasks.restart();
    const worker = tasks.worker();
    await tasks.clock.elapse(1_000);
    expect(worker.answers.flatMap(({ tasks: found }) => found)).toEqual([]);
    await tasks.call('resumeQueue', { queue: 'q' });
    expect((await worker.task()).taskId).toBe('q/1');
    await worker.cut();
  });

  test('a purge ends what waits, in steps, and lets what runs go on', async () => {
    for (let batch = 0; batch < 3; batch += 1) {
      const items = Array.from({ length: 1_000 }, (_, at) => ({ requestId: `${batch}-${at}`, task: specOf({ type: 'mail' }) }));
      await tasks.call('createTasks', { queue: 'q', tasks: items });
    }
    const worker = tasks.worker({ capacity: 1 });
    const running = await worker.task();
    expect((await tasks.call('purgeQueue', { queue: 'q' })).waitingTasks).toBe(2_999n);
    await tasks.crash();
    await tasks.clock.elapse(1_000);
    const after = await tasks.create('mail');
    const other = tasks.worker({ workerId: 'other', capacity: 5 });
    expect((await other.task()).taskId).toBe(after);
    expect(await other.complete(running)).toBe('');
    expect(await reasonOf(tasks.call('cancelTask', { taskId: 'q/3000' }))).toBe('TASK_ENDED');
    await other.cut();
    await worker.cut();
  });

  test('limits of a queue and of a type hold, over a restart', async () => {
    await tasks.call('configureQueue', { queue: 'q', limits: { maximumRunning: 2, types: [{ type: 'a', maximumRunning: 1, rate: undefined }] } });
    for (const type of ['a', 'a', 'b', 'b']) await tasks.create(type);
    await tasks.restart();
    const worker = tasks.worker();
    const started = await worker.until(({ tasks: found }) => (found.length === 0 ? undefined : found));
    expect(started.map(({ taskId }) => taskId)).toEqual(['q/1', 'q/3']);
    await worker.cut();
  });
});

describe('schedules', () => {
  test('a schedule submits its tasks when they are due, and skips a run while the one before is under way', async () => {
    const spec = { intervalMs: 60_000, task: { type: 'report' } };
    const made = await tasks.call('createSchedule', { queue: 'q', name: 'minutely', spec });
    expect(made).toMatchObject({ scheduleId: 'q/minutely', repeated: false });
    expect(made.nextRuns).toHaveLength(10);
    const worker = tasks.worker();
    await tasks.clock.elapse(61_000);
    const first = await worker.task();
    expect(first).toMatchObject({ scheduleId: 'q/minutely', spec: { type: 'report' } });
    await tasks.clock.elapse(5_000);
    worker.send({ heartbeats: [{ lease: leaseOf(first), progress: undefined }] });
    await worker.until(({ heard }) => heard[0]);
    expect(await worker.complete(first)).toBe('');
    await tasks.restart();
    const other = tasks.worker();
    await tasks.clock.elapse(60_000);
    expect((await other.task()).scheduleId).toBe('q/minutely');
    expect((await tasks.call('runScheduleNow', { scheduleId: 'q/minutely' })).taskId).toBe('q/3');
    await tasks.call('pauseSchedule', { scheduleId: 'q/minutely' });
    await tasks.call('deleteSchedule', { scheduleId: 'q/minutely' });
    expect(await reasonOf(tasks.call('runScheduleNow', { scheduleId: 'q/minutely' }))).toBe('SCHEDULE_NOT_FOUND');
    await other.cut();
    await worker.cut();
  });

  test('a run whose dedupe key a task has is left out, refused when it is asked for, or replaces that task, as the rule says', async () => {
    const schedule = (name: string, dedupeRule: taskpb.DedupeRule) =>
      tasks.call('createSchedule', {
        queue: name,
        name,
        spec: { intervalMs: 60_000, overlap: taskpb.OverlapRule.OVERLAP_RULE_ALLOW, task: { type: 't', dedupeKey: 'one', dedupeRule } },
      });
    const { DEDUPE_RULE_REFUSE, DEDUPE_RULE_RETURN_EXISTING, DEDUPE_RULE_REPLACE } = taskpb.DedupeRule;
    await schedule('refusing', DEDUPE_RULE_REFUSE);
    await schedule('returning', DEDUPE_RULE_RETURN_EXISTING);
    await schedule('replacing', DEDUPE_RULE_REPLACE);
    await tasks.clock.elapse(61_000);
    await tasks.clock.elapse(60_000);
    expect(await reasonOf(tasks.call('runScheduleNow', { scheduleId: 'refusing/refusing' }))).toBe('TASK_DUPLICATE');
    expect((await tasks.call('runScheduleNow', { scheduleId: 'returning/returning' })).taskId).toBe('returning/1');
    expect((await tasks.call('runScheduleNow', { scheduleId: 'replacing/replacing' })).taskId).toBe('replacing/3');
    const worker = tasks.worker({ queues: ['refusing', 'returning', 'replacing'], capacity: 10 });
    const started: string[] = [];
    while (started.length < 3)
      started.push(...(await worker.until(({ tasks: found }) => (found.length === 0 ? undefined : found.map(({ taskId }) => taskId)))));
    expect(started.toSorted()).toEqual(['refusing/1', 'replacing/3', 'returning/1']);
    await worker.cut();
  });

  test.each`
    spec                                                       | reason
    ${{ cron: '61 * * * *' }}                                  | ${'SCHEDULE_INVALID'}
    ${{ cron: '* * * * *', timeZone: 'Mars/Olympus' }}         | ${'SCHEDULE_INVALID'}
    ${{ cron: '* * * * *', intervalMs: 1_000 }}                | ${'SCHEDULE_INVALID'}
    ${{ intervalMs: 10 }}                                      | ${'SCHEDULE_INVALID'}
    ${{ cron: '0 0 30 2 *' }}                                  | ${'SCHEDULE_NEVER_RUNS'}
    ${{ cron: '0 0 31 2,4,6 *' }}                              | ${'SCHEDULE_NEVER_RUNS'}
    ${{ cron: '0 8 * * *', endAt: { seconds: 1n, nanos: 0 } }} | ${'SCHEDULE_NEVER_RUNS'}
  `('$spec is refused with $reason', async ({ spec, reason }: { spec: object; reason: string }) => {
    expect(await reasonOf(tasks.call('createSchedule', { queue: 'q', name: 's', spec: { ...spec, task: { type: 't' } } }))).toBe(reason);
  });
});
