/** A traced request's way through the engine: told once its commit is durable, and carried on with the message. */
import type { TracedCommit } from '../engine-observer';
import { Lines } from '../test/journal';
import { PartitionUnderTest, RecordingBus, sorter } from '../test/partition-under-test';

afterAll(() => sorter.close());

const CALLER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const COMMIT = '00-0af7651916cd43dd8448eb211c80319c-1111111111111111-01';
const PUBLISH = '00-0af7651916cd43dd8448eb211c80319c-2222222222222222-01';

test('who observes is told of the commit with its times, and of its publishing; the message carries on what it said', async () => {
  const commits: TracedCommit[] = [];
  const published: unknown[] = [];
  const bus = new RecordingBus();
  const one = await PartitionUnderTest.started({
    bus,
    observer: {
      traced: (commit) => {
        commits.push(commit);
        return COMMIT;
      },
      publishing: (partition, sequence, parent) => ({ traceparent: PUBLISH, ended: (error) => published.push({ partition, sequence, parent, error }) }),
    },
  });
  const [first, second] = [new Lines(one.partition, ['a', 'b'], undefined, CALLER), new Lines(one.partition, ['c'])];
  one.partition.submit(first);
  one.partition.submit(second);
  await Promise.all([first.answer, second.answer]);
  await one.write('untraced');
  await bus.whenPublished(3);

  expect(commits).toEqual([expect.objectContaining({ partition: 1, sequence: 2, commands: 3, traceparents: [CALLER] })]);
  const [{ decideStartUs, decideEndUs, appendStartUs, durableUs }] = commits as [TracedCommit];
  expect([decideStartUs, decideEndUs, appendStartUs, durableUs]).toEqual(
    [decideStartUs, decideEndUs, appendStartUs, durableUs].sort((left, right) => left - right),
  );
  expect(published).toEqual([{ partition: 1, sequence: 2, parent: COMMIT, error: undefined }]);
  expect(bus.messages.map(({ sequence, traceparent }) => [sequence, traceparent])).toEqual([
    [1, undefined],
    [2, PUBLISH],
    [3, undefined],
  ]);
});

test('a publishing that fails is told, and tried again under a span of its own', async () => {
  const ends: unknown[] = [];
  const bus = new RecordingBus();
  const one = await PartitionUnderTest.started({
    bus,
    observer: { traced: () => COMMIT, publishing: () => ({ traceparent: PUBLISH, ended: (error) => ends.push(error) }) },
  });
  await bus.whenPublished(1);
  bus.connected = false;
  const traced = new Lines(one.partition, ['a'], undefined, CALLER);
  one.partition.submit(traced);
  await traced.answer;
  await new Promise((resolve) => setImmediate(resolve));
  expect(ends).toEqual([expect.any(Error)]);
  bus.connected = true;
  await one.clock.elapse(200);
  await bus.whenPublished(2);
  await new Promise((resolve) => setImmediate(resolve));
  expect(ends).toEqual([expect.any(Error), undefined]);
});

test('where nobody wants traces the commit still carries them', async () => {
  const one = await PartitionUnderTest.started();
  const traced = new Lines(one.partition, ['a'], undefined, CALLER);
  one.partition.submit(traced);
  await traced.answer;
  expect(one.commits().at(-1)?.traceparents).toEqual([CALLER]);
});
