/** What is measured of queues while tasks wait, run, fail and end. */
import { loadConfiguration } from '@sluice/service';
import { Measured } from '../test/measured';
import { TasksUnderTest } from '../test/tasks-under-test';
import { OTHER_QUEUES } from './queue-meter';

let measured: Measured;
let tasks: TasksUnderTest;
const start = async (environment = {}) => {
  measured = new Measured('sluice.task.');
  tasks = await TasksUnderTest.start({ metrics: measured.metrics, settings: loadConfiguration(environment) });
};
afterEach(() => tasks.stop());

test('what waits, runs and ends is measured by queue', async () => {
  await start();
  await tasks.create('mail');
  await tasks.create('mail', { limits: { startToFinishMs: 500 }, retry: { maximumAttempts: 1 } });
  await tasks.create('mail', { delayMs: 60_000 });
  await tasks.clock.elapse(2_000);
  expect(measured.values).toMatchObject({ 'submitted q': 3, 'waiting q': 2, 'delayed q': 1, 'running q': 0, 'oldest_waiting q': 2 });
  const worker = tasks.worker();
  const [first, second] = await worker.until(({ tasks: found }) => (found.length === 2 ? found : undefined));
  if (first === undefined || second === undefined) throw new Error('two tasks were to be started');
  expect(measured.values).toMatchObject({ 'started q': 2, 'wait.duration q': 4, 'waiting q': 0, 'running q': 2, 'oldest_waiting q': 0 });
  await tasks.clock.elapse(250);
  await worker.fail(first, 'no');
  expect(measured.values).toMatchObject({ 'attempts_failed q HANDLER': 1, 'run.duration q': 0.25, 'delayed q': 2 });
  await tasks.clock.elapse(250);
  await worker.stopped();
  expect(measured.values).toMatchObject({ 'limits_hit q START_TO_FINISH': 1, 'attempts_failed q TIME_LIMIT': 1, 'ended q FAILED': 1, 'running q': 0 });
  await tasks.clock.elapse(5_000);
  const again = await worker.task();
  await worker.complete(again);
  expect(measured.values).toMatchObject({ 'started q': 3, 'ended q SUCCEEDED': 1 });
  await worker.cut();
});

test('a hand-out lasts from the decision until it is durable', async () => {
  await start();
  await tasks.create('mail');
  const release = tasks.faults.holdAppends();
  const worker = tasks.worker();
  await tasks.faults.whenHeld(1);
  await tasks.clock.elapse(30);
  release();
  await worker.task();
  expect(measured.values).toMatchObject({ 'hand_out.duration q': 0.03 });
  await worker.cut();
});

test('a turn that is lost counts nothing', async () => {
  await start();
  tasks.faults.failNextAppend();
  await expect(tasks.create('mail')).rejects.toMatchObject({ reason: 'PARTITION_UNAVAILABLE' });
  expect(measured.values).not.toHaveProperty('submitted q');
});

test('queues beyond the bound are added up under one name', async () => {
  await start({ SLUICE_TASK_METRIC_QUEUES: '1' });
  for (const queue of ['q', 'r', 's']) await tasks.create('mail', {}, queue);
  expect(measured.values).toMatchObject({ 'submitted q': 1, [`submitted ${OTHER_QUEUES}`]: 2, [`waiting ${OTHER_QUEUES}`]: 2 });
  expect(measured.values).not.toHaveProperty('submitted r');
});
