/** A call that waits for the read store is told what it waits for before its deadline, also where the store does not answer at all. */
import { ManualClock, MemoryReadStore } from '@sluice/memory';
import { encodePositionToken } from '@sluice/protocol';
import type { CallContext, SluiceError } from '@sluice/service';
import { Freshness } from './freshness';
import { StandingFeed } from './standing';

const INCARNATION = 'ab'.repeat(16);
const TOKENS = { positionToken: encodePositionToken({ incarnation: INCARNATION, sequences: new Map([[1, 7]]) }) };

let clock: ManualClock;
let store: MemoryReadStore;
let feed: StandingFeed;
let freshness: Freshness;

beforeEach(() => {
  clock = new ManualClock();
  store = new MemoryReadStore({ collections: [], identity: { incarnation: INCARNATION, partitions: 2 } });
  feed = new StandingFeed(store, clock);
  freshness = new Freshness(feed, clock, 'accounts@1');
});

/** Deadlines are counted by the machine's clock, which stands still for a test that awaits nothing of it. */
const callWithin = (milliseconds: number) =>
  ({ ended: false, deadlineMs: Date.now() + milliseconds, signal: new AbortController().signal }) as Partial<CallContext> as CallContext;

const settled = async (answer: Promise<unknown>): Promise<SluiceError | 'answered' | 'waiting'> => {
  const outcome = answer.then(
    () => 'answered' as const,
    (error: SluiceError) => error,
  );
  await new Promise((resolve) => setImmediate(resolve));
  return Promise.race([outcome, new Promise<'waiting'>((resolve) => setImmediate(() => resolve('waiting')))]);
};

test('the refusal leaves before the deadline, and says what is awaited', async () => {
  const answer = freshness.copyFor(TOKENS, callWithin(10_000));
  await clock.elapse(8_500);
  expect(await settled(answer)).toBe('waiting');
  await clock.elapse(600);
  expect(await settled(answer)).toMatchObject({
    reason: 'READ_BEHIND',
    message: 'the read store has partition 1 up to sequence 0; the call asks for 7, and its time is over',
  });
});

test('where waits are over late, more of the time is kept back', async () => {
  feed.lateness.note(1_000, clock.monotonicMs());
  const answer = freshness.copyFor(TOKENS, callWithin(10_000));
  await clock.elapse(6_900);
  expect(await settled(answer)).toBe('waiting');
  await clock.elapse(200);
  expect(await settled(answer)).toMatchObject({ reason: 'READ_BEHIND' });
});

test('a read store that does not answer: the call is told so in time', async () => {
  jest.spyOn(store, 'incarnation').mockReturnValue(new Promise(() => undefined));
  const answers = [freshness.copyFor(TOKENS, callWithin(10_000)), freshness.copyUpTo(1, 7, { positionToken: '' }, callWithin(10_000))];
  await clock.elapse(9_100);
  for (const answer of answers) {
    expect(await settled(answer)).toMatchObject({
      reason: 'READ_BEHIND',
      message: 'the read store has not said in time how far it is; the call asks for partition 1 up to sequence 7',
    });
  }
});

test('a read store that answers no more while a call waits: what it said last is told', async () => {
  const answer = freshness.copyFor(TOKENS, callWithin(10_000));
  await clock.elapse(200);
  jest.spyOn(store, 'incarnation').mockReturnValue(new Promise(() => undefined));
  await clock.elapse(8_900);
  expect(await settled(answer)).toMatchObject({ reason: 'READ_BEHIND', metadata: { partition: '1', sequence: '7', read_sequence: '0' } });
});
