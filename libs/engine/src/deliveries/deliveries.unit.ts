/** Deliveries between the partitions of one and of two processes, on memory adapters. */
import { Post } from '../test/couriers-under-test';

let post: Post;

beforeEach(() => {
  post = new Post();
});

afterEach(() => post.stop());

const outcomes = (told: readonly { readonly text: string; readonly outcome: string }[]) => told.map(({ text, outcome }) => `${text}: ${outcome}`);
const texts = (arrived: readonly { readonly text: string }[]) => arrived.map(({ text }) => text);

async function owning(owner: string, ...partitions: number[]) {
  const process = post.process(owner);
  for (const partition of partitions) await process.engine.own(partition);
  return process;
}

test('what is owed arrives in order, and each verdict is recorded where it was owed', async () => {
  const one = await owning('one', 0, 1);
  const sent = await one.dispatch(0, post.text(0, 1, 'first'), post.text(0, 1, 'refuse it'), post.text(0, 1, 'answer with this'), post.text(0, 1, 'last'));
  expect(sent).toEqual(['d-0-1-1', 'd-0-1-2', 'd-0-1-3', 'd-0-1-4']);
  await post.until(() => one.state(0).told.length === 4);
  expect(texts(one.state(1).arrived)).toEqual(['first', 'refuse it', 'answer with this', 'last']);
  expect(outcomes(one.state(0).told)).toEqual(['first: accepted', 'refuse it: rejected REFUSED', 'answer with this: accepted with this', 'last: accepted']);
  expect(one.owned(0).deliveries.counts).toEqual({ unfinished: 0, dead: 0 });
});

test('a partition may owe to itself, and a delivery may owe another one', async () => {
  const one = await owning('one', 0, 1);
  await one.dispatch(0, post.text(0, 0, 'to myself'), post.text(0, 1, `reply ${post.key(0)}`));
  await post.until(() => one.state(0).told.length === 2 && one.state(1).told.length === 1);
  expect(texts(one.state(0).arrived)).toEqual(['to myself', 'from d-0-1-1']);
});

test('a delivery that names its partition goes there whatever its key is hashed to, also after its source and its target were loaded again', async () => {
  const one = await owning('one', 0, 1);
  const key = post.key(0);
  const toAll = [0, 1].map((partition) => ({ from: key, to: key, partition, text: `later ${partition}` }));
  expect(await one.dispatch(0, ...toAll)).toEqual(['d-0-0-1', 'd-0-1-1']);
  for (const partition of [0, 1]) await one.engine.disown(partition, { snapshot: false });
  one.courier.understands = true;
  for (const partition of [0, 1]) await one.engine.own(partition);
  await post.until(() => one.state(0).told.length === 2);
  expect([0, 1].map((partition) => one.state(partition).arrived)).toEqual([
    [{ id: 'd-0-0-1', key, text: 'later 0' }],
    [{ id: 'd-0-1-1', key, text: 'later 1' }],
  ]);
  expect(one.state(0).told.map(({ from, outcome }) => [from, outcome])).toEqual([
    [key, 'accepted'],
    [key, 'accepted'],
  ]);
});

test('two processes exchange deliveries in both directions', async () => {
  const one = await owning('one', 0);
  const two = await owning('two', 1);
  await Promise.all([one.dispatch(0, post.text(0, 1, 'there')), two.dispatch(1, post.text(1, 0, 'back'))]);
  await post.until(() => one.state(0).told.length === 1 && two.state(1).told.length === 1);
  expect([texts(two.state(1).arrived), texts(one.state(0).arrived)]).toEqual([['there'], ['back']]);
});

test('a commit that is not durable sends nothing', async () => {
  const one = await owning('one', 0, 1);
  let sent = 0;
  const release = one.log.faults.holdAppends();
  const outcome = one.dispatch(0, post.text(0, 1, 'too early'));
  await one.log.faults.whenHeld(1);
  await post.clock.elapse(10_000);
  sent = one.state(1).arrived.length;
  release();
  await outcome;
  expect(sent).toBe(0);
  await post.until(() => one.state(0).told.length === 1);
});
