/** Deliveries that their target cannot decide, and targets that are not reached. */
import { logpb } from '@sluice/protocol';
import { type CourierProcess, Post } from '../test/couriers-under-test';

const BUDGET = { attempts: 3, milliseconds: 1_000 };
const { DELIVERY_STATE_DEAD, DELIVERY_STATE_RETRYING, DELIVERY_STATE_WAITING, DELIVERY_STATE_REDRIVEN } = logpb.DeliveryState;

let post: Post;
let one: CourierProcess;
let two: CourierProcess;

beforeEach(async () => {
  post = new Post();
  one = post.process('one', { budget: BUDGET });
  two = post.process('two', { budget: BUDGET });
  await one.engine.own(0);
  await two.engine.own(1);
});

afterEach(() => post.stop());

const arrived = (process: CourierProcess) => process.state(1).arrived.map(({ text }) => text);
const told = (process: CourierProcess) => process.state(0).told.map(({ text }) => text);
const listed = async (deadOnly = false) => (await one.owned(0).deliveries.list({ pageSize: 100, deadOnly, from: undefined })).deliveries;

async function redrive(ids: readonly string[] = []): Promise<number> {
  let redriven: number | undefined;
  void one
    .owned(0)
    .deliveries.redrive(ids)
    .then((count) => {
      redriven = count;
    });
  await post.until(() => redriven !== undefined);
  return redriven as number;
}

test('what waits for a target that learns to decide it within the budget keeps its order', async () => {
  await one.dispatch(0, post.text(0, 1, 'first'), post.text(0, 1, 'later'), post.text(0, 1, 'last'));
  await post.until(() => told(one).length === 1);
  await post.clock.elapse(100);
  expect(arrived(two)).toEqual(['first']);
  expect((await listed()).map(({ state, reason, deliveryId }) => [deliveryId, state, reason])).toEqual([
    ['d-0-1-2', DELIVERY_STATE_RETRYING, 'not understood'],
    ['d-0-1-3', DELIVERY_STATE_WAITING, ''],
  ]);
  two.courier.understands = true;
  await post.until(() => told(one).length === 3);
  expect(arrived(two)).toEqual(['first', 'later', 'last']);
});

test('beyond the budget it is a dead letter, those behind it pass, and a redrive delivers it under the same id', async () => {
  await one.dispatch(0, post.text(0, 1, 'first'), post.text(0, 1, 'later'), post.text(0, 1, 'last'));
  await post.until(() => told(one).length === 2);
  expect(told(one)).toEqual(['first', 'last']);
  expect(one.owned(0).deliveries.counts).toEqual({ unfinished: 1, dead: 1 });
  const [dead] = await listed(true);
  expect(dead).toMatchObject({
    deliveryId: 'd-0-1-2',
    state: DELIVERY_STATE_DEAD,
    source: 0,
    target: 1,
    owedBy: 'courier',
    owedByKey: post.key(0),
    capability: 'courier',
    method: 'Carry',
    key: post.key(1),
    reason: 'not understood',
  });
  expect(dead?.attempts).toBeGreaterThanOrEqual(BUDGET.attempts);
  two.courier.understands = true;
  expect(await redrive(['d-0-1-1', 'd-0-1-2', 'd-1-0-1', 'nonsense'])).toBe(1);
  await post.until(() => told(one).length === 3);
  expect(two.state(1).arrived.at(-1)).toMatchObject({ id: 'd-0-1-2', text: 'later' });
  expect(one.owned(0).deliveries.counts).toEqual({ unfinished: 0, dead: 0 });
  expect(await listed()).toEqual([]);
});

test('a redriven one that cannot be decided still is a dead letter again after the budget', async () => {
  await one.dispatch(0, post.text(0, 1, 'later'));
  await post.until(() => one.owned(0).deliveries.counts.dead === 1);
  await post.clock.elapse(1_000);
  expect(await redrive()).toBe(1);
  const states: (logpb.DeliveryState | undefined)[] = [];
  for (let step = 0; step < 50; step += 1) {
    states.push((await listed())[0]?.state);
    await post.clock.elapse(50);
  }
  expect([states.at(0), states.at(-1)]).toEqual([DELIVERY_STATE_REDRIVEN, DELIVERY_STATE_DEAD]);
  two.courier.understands = true;
  await redrive();
  await post.until(() => told(one).length === 1);
  expect(arrived(two)).toEqual(['later']);
});

test('dead letters survive a restart of their source, and a redrive that was asked for before it', async () => {
  await one.dispatch(0, post.text(0, 1, 'later'), post.text(0, 1, 'later too'));
  await post.until(() => one.owned(0).deliveries.counts.dead === 2);
  await post.clock.elapse(10_000);
  post.network = () => Promise.reject(new Error('the network is cut'));
  expect(await redrive(['d-0-1-1'])).toBe(1);
  const next = post.process('next', { budget: BUDGET });
  await one.engine.disown(0, { snapshot: false });
  await next.engine.own(0);
  two.courier.understands = true;
  post.network = (_target, pass) => pass();
  next.owned(0).deliveries.drive();
  await post.until(() => told(next).length === 1);
  await post.clock.elapse(10_000);
  expect([arrived(two), next.owned(0).deliveries.counts]).toEqual([['later'], { unfinished: 1, dead: 1 }]);
});

test('a target that is not reached for long makes no dead letter', async () => {
  post.network = () => Promise.reject(new Error('the network is cut'));
  await one.dispatch(0, post.text(0, 1, 'patient'), post.text(0, 1, 'too'));
  await post.clock.elapse(3_600_000);
  expect(one.owned(0).deliveries.counts).toEqual({ unfinished: 2, dead: 0 });
  expect((await listed()).map(({ state, reason }) => [state, reason])).toEqual([
    [DELIVERY_STATE_RETRYING, 'the network is cut'],
    [DELIVERY_STATE_WAITING, ''],
  ]);
  post.network = (_target, pass) => pass();
  one.owned(0).deliveries.drive();
  await post.until(() => told(one).length === 2, 100);
});

test('a command that makes its target throw costs two loads of the partition, then it is a dead letter and the others pass', async () => {
  await one.dispatch(0, post.text(0, 1, 'first'), post.text(0, 1, 'throw'), post.text(0, 1, 'last'));
  await post.until(() => told(one).length === 2);
  expect(arrived(two)).toEqual(['first', 'last']);
  expect(two.troubles.filter((trouble) => trouble.startsWith('a turn could not be decided'))).toHaveLength(2);
  expect(await listed()).toMatchObject([{ deliveryId: 'd-0-1-2', state: DELIVERY_STATE_DEAD, reason: 'the decision failed: this text makes it throw' }]);
});

test('a reaction to verdicts that throws halts its channel, not the partition', async () => {
  one.courier.reactionThrows = true;
  await one.dispatch(0, post.text(0, 1, 'first'));
  await post.until(() => one.troubles.some((trouble) => trouble.startsWith('deliveries to partition 1 are halted')));
  await post.until(() => one.owned(0).state === 'serving');
  await post.clock.elapse(60_000);
  expect(await one.dispatch(0, post.text(0, 1, 'second'))).toEqual(['d-0-1-2']);
  expect((await listed()).map(({ state }) => state)).toEqual([logpb.DeliveryState.DELIVERY_STATE_HALTED, logpb.DeliveryState.DELIVERY_STATE_HALTED]);
});

test('a hundred at a time are listed, page after page', async () => {
  post.network = () => Promise.reject(new Error('the network is cut'));
  for (let commit = 0; commit < 5; commit += 1) await one.dispatch(0, ...Array.from({ length: 50 }, (_, at) => post.text(0, 1, `${commit} ${at}`)));
  const { deliveries } = one.owned(0);
  const ids: string[] = [];
  let from: Parameters<typeof deliveries.list>[0]['from'];
  do {
    const page = await deliveries.list({ pageSize: 100, deadOnly: false, from });
    ids.push(...page.deliveries.map(({ deliveryId }) => deliveryId));
    from = page.next;
  } while (from !== undefined);
  expect(ids).toEqual(Array.from({ length: 250 }, (_, at) => `d-0-1-${at + 1}`));
});
