import type { CallContext } from '@sluice/service';
import { serveSlicedStream, type Slice, type SliceAnswers } from './sliced-stream';

const round = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Slices that the test settles. */
class Slices {
  readonly lengths: number[] = [];
  private readonly open: { resolve: (answers: SliceAnswers) => void; reject: (error: Error) => void }[] = [];

  decide = (messages: readonly Buffer[]): Slice => {
    this.lengths.push(messages.length);
    const answers = new Promise<SliceAnswers>((resolve, reject) => this.open.push({ resolve, reject }));
    return { count: messages.length, malformed: undefined, answers };
  };

  settle(): void {
    this.open.shift()?.resolve({ answer: () => Buffer.alloc(0) });
  }

  fail(error: Error): void {
    this.open.shift()?.reject(error);
  }
}

test('of messages that are not answered no more than 32 MiB are read', async () => {
  const slices = new Slices();
  let taken = 0;
  const requests = async function* (): AsyncGenerator<Buffer> {
    for (; taken < 100; taken += 1) yield Buffer.alloc(1 << 20);
  };
  let sent = 0;
  const send = (): undefined => void (sent += 1);
  const served = serveSlicedStream(slices.decide, requests(), send, {} as CallContext);
  while (slices.lengths.length === 0) await round();
  for (let rounds = 0; rounds < 5; rounds += 1) await round();
  expect([taken, slices.lengths]).toEqual([31, [32]]);
  slices.settle();
  while (slices.lengths.length === 1) await round();
  for (let rounds = 0; rounds < 5; rounds += 1) await round();
  expect([taken, sent, slices.lengths]).toEqual([63, 32, [32, 32]]);
  for (let rounds = 0; sent < 100; rounds += 1) {
    slices.settle();
    await round();
  }
  await served;
});

test('a slice that cannot be decided ends the call; what was decided before it is answered, and nothing behind it is done', async () => {
  const slices = new Slices();
  let answered = 0;
  let wake = (): void => undefined;
  let isEnded = false;
  const requests = async function* (): AsyncGenerator<Buffer> {
    yield Buffer.from('a');
    await round();
    await round();
    yield Buffer.from('b');
    await new Promise<void>((resolve) => (wake = resolve));
    if (!isEnded) yield Buffer.from('c');
  };
  const call = {
    end: () => {
      isEnded = true;
      wake();
    },
  } as unknown as CallContext;
  const served = serveSlicedStream(slices.decide, requests(), () => void (answered += 1), call).catch((error: Error) => error.message);
  while (slices.lengths.length < 2) await round();
  slices.settle();
  slices.fail(new Error('a fault'));
  expect(await served).toBe('a fault');
  expect([answered, slices.lengths]).toEqual([1, [1, 1]]);
});
