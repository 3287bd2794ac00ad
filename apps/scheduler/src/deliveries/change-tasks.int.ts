/** Change tasks of a contest: without a scheduler nothing becomes of them; with one they end within one period, and are listed until then. */
import { logpb } from '@sluice/protocol';
import { ContestUnderTest, GIVER } from '../test/contest-under-test';

/** Between two executions of a task. */
const PERIOD_MS = 5_000;
const { DELIVERY_STATE_WAITING: WAITING, DELIVERY_STATE_RETRYING: RETRYING } = logpb.DeliveryState;

let contest: ContestUnderTest;

afterEach(() => contest.stop());

const submit = (requestId: string, points: bigint, accountId = 'r1') => contest.call('submitScore', { requestId, accountId, points });
const listed = async (pageSize?: number) =>
  (await contest.unfinished(pageSize)).map(({ taskId, state, attempts, reason }) => ({ taskId, state, attempts, reason }));

test('a submitted score is recorded by the scheduler alone, once, and is listed until then', async () => {
  contest = await ContestUnderTest.start();
  expect(await submit('s1', 3n)).toMatchObject({ taskId: 'score/s1', repeated: false });
  expect(await submit('s1', 3n)).toMatchObject({ taskId: 'score/s1', repeated: true });
  await submit('s2', 4n);
  await contest.pass(10 * PERIOD_MS);
  const waiting = ['score/s1', 'score/s2'].map((taskId) => ({ taskId, state: WAITING, attempts: 0, reason: '' }));
  expect(await listed()).toEqual(waiting);
  expect(await listed(1)).toEqual(waiting);
  await contest.startScheduler();
  await contest.until(({ unfinishedTasks }) => unfinishedTasks === 0);
  expect(contest.state.sideRoundPoints).toEqual([7, 0]);
  expect(await listed()).toEqual([]);
  expect(await submit('s1', 3n)).toMatchObject({ taskId: 'score/s1', repeated: true });
  await contest.pass(2 * PERIOD_MS);
  expect(contest.state).toMatchObject({ sideRoundPoints: [7, 0], unfinishedTasks: 0 });
});

test('a submitted score waits while the contest is between two rounds, and is recorded within one period of the next round', async () => {
  contest = await ContestUnderTest.start();
  await submit('s1', 3n);
  await contest.call('endRound', { round: 1 });
  await contest.pass(10 * PERIOD_MS);
  expect(contest.state).toMatchObject({ round: 1, unfinishedTasks: 1 });
  await contest.startScheduler();
  await contest.until(({ round }) => round === 2);
  expect(await listed()).toEqual([{ taskId: 'score/s1', state: RETRYING, attempts: 1, reason: 'CONTEST_ROUND_CLOSED' }]);
  await contest.pass(PERIOD_MS);
  await contest.until(({ unfinishedTasks }) => unfinishedTasks === 0);
  expect(contest.state.sideRoundPoints).toEqual([3, 0]);
  expect(await listed()).toEqual([]);
});

test('a submitted score that is refused ends, and its points do not count', async () => {
  contest = await ContestUnderTest.start({ maximumPointsPerScore: 5n });
  await submit('s1', 6n);
  await submit('s2', 1n, 'stranger');
  await submit('s3', 5n);
  expect((await listed()).map(({ taskId }) => taskId)).toEqual(['score/s1', 'score/s2', 'score/s3']);
  await contest.startScheduler();
  await contest.until(({ unfinishedTasks }) => unfinishedTasks === 0);
  expect(contest.state.sideRoundPoints).toEqual([5, 0]);
  expect(await listed()).toEqual([]);
});

test('gifts and submitted scores are one list while the log of the contest is blocked, and both are done when it goes on', async () => {
  contest = await ContestUnderTest.start();
  await submit('s1', 3n);
  await submit('s2', 4n);
  contest.log.block();
  await contest.call('gift', { requestId: 'g1', accountId: 'b1', giverAccountId: GIVER, amountMinor: 9n, unit: 'EUR' });
  await contest.pass(2 * PERIOD_MS);
  for (const pageSize of [0, 1, 2]) {
    const unfinished = await contest.unfinished(pageSize);
    expect(unfinished.map(({ method, capability, key, taskId }) => ({ method, capability, key, taskId }))).toEqual([
      { method: 'TakeTransfer', capability: 'contest', key: 'c', taskId: '' },
      { method: 'ExecuteScore', capability: 'contest', key: 'c', taskId: 'score/s1' },
      { method: 'ExecuteScore', capability: 'contest', key: 'c', taskId: 'score/s2' },
    ]);
  }
  expect(await contest.unfinished(0, true)).toEqual([]);
  contest.log.unblock();
  await contest.until(({ sideRoundPoints }) => sideRoundPoints[1] === 9);
  await contest.pass(10 * PERIOD_MS);
  expect((await listed()).map(({ taskId }) => taskId)).toEqual(['score/s1', 'score/s2']);
  await contest.startScheduler();
  await contest.until(({ unfinishedTasks }) => unfinishedTasks === 0);
  expect(contest.state.sideRoundPoints).toEqual([7, 9]);
  await contest.pass(0);
  expect(await contest.unfinished()).toEqual([]);
});
