/** More is outstanding than the window in memory holds: bodies are read from the log again, also by an owner that has only a snapshot. */
import { type CourierProcess, Post } from '../test/couriers-under-test';
import { WINDOW_BYTES } from './limits';

const TEXT_BYTES = 100_000;
const COUNT = Math.ceil(WINDOW_BYTES / TEXT_BYTES) + 40;

let post: Post;

beforeEach(() => {
  post = new Post();
});

afterEach(() => post.stop());

async function owe(process: CourierProcess): Promise<void> {
  for (let sent = 0; sent < COUNT; sent += 10) {
    await process.dispatch(0, ...Array.from({ length: 10 }, (_, at) => post.text(0, 1, `${sent + at} ${'x'.repeat(TEXT_BYTES)}`)));
  }
}

const numbers = (process: CourierProcess) => process.state(1).arrived.map(({ text }) => Number(text.split(' ')[0]));
const inOrder = Array.from({ length: Math.ceil(COUNT / 10) * 10 }, (_, at) => at);

test('what is beyond the window arrives in order when the target is there', async () => {
  const one = post.process('one');
  await one.engine.own(0);
  await owe(one);
  await one.engine.own(1);
  one.owned(0).deliveries.drive();
  await post.until(() => one.state(0).told.length === inOrder.length);
  expect(numbers(one)).toEqual(inOrder);
});

test('an owner that begins with a snapshot sends what it does not hold', async () => {
  const one = post.process('one');
  await one.engine.own(0);
  await owe(one);
  await one.engine.stop({ snapshot: true });
  const two = post.process('two');
  await two.engine.own(0);
  await two.engine.own(1);
  await post.until(() => two.state(0).told.length === inOrder.length);
  expect(numbers(two)).toEqual(inOrder);
});
