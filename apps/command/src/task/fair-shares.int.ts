/** A task queue that is flooded with submissions does not hold up the workers of another queue of its partition. */
import { TasksUnderTest } from '../test/tasks-under-test';

let tasks: TasksUnderTest;
afterEach(() => tasks.stop());

test("a worker's report on another queue is decided in the next turn", async () => {
  tasks = await TasksUnderTest.start({ limits: { queueCommands: 60, turnCommands: 10, decideAheadCommands: 1_000 } });
  await tasks.create('mail', {}, '{one}near');
  const worker = tasks.worker({ queues: ['{one}near'], capacity: 1 });
  const task = await worker.task();
  const before = tasks.typesByCommit('{one}near').length;
  const release = tasks.log.faults.holdAppends();
  const flying = tasks.create('mail', {}, '{one}flooded');
  await tasks.log.faults.whenHeld(1);
  const flood = Array.from({ length: 40 }, () => tasks.create('mail', {}, '{one}flooded'));
  const reported = worker.complete(task);
  // The report is read from its stream.
  await new Promise<void>((resolve) => setImmediate(resolve));
  release();
  expect(await reported).toBe('');
  await Promise.all([flying, ...flood]);
  const commits = tasks.typesByCommit('{one}near').slice(before);
  expect(commits.findIndex((types) => types.includes('task.AttemptsEnded'))).toBe(1);
  expect(commits.length).toBeGreaterThanOrEqual(5);
  await worker.cut();
});
