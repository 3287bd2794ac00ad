/** What waits for a turn: order per aggregate, slow preparations that hold up nothing else, two lanes, bounds. */
import fc from 'fast-check';
import { QueueUnderTest, type Given, type WaitingSubmission } from '../test/queue-under-test';
import type { PartitionLimits } from './limits';
import { QueueFullError, SubmissionTooLargeError } from './submission-queue';

function queueOf(limits: Partial<PartitionLimits> = {}, commitRoomBytes = Number.POSITIVE_INFINITY) {
  const under = new QueueUnderTest(limits, commitRoomBytes);
  const push = (given: Given): void => under.push(given);
  return { queue: under.queue, push, prepare: (name: string) => under.prepare(name), take: () => under.take() };
}

test('a turn stops before its commit would be larger than the log takes, and what never fits is refused', () => {
  const { push, take, queue } = queueOf({}, 10);
  push({ name: 'a', bytes: 6 });
  push({ name: 'b', bytes: 5 });
  push({ name: 'c', bytes: 5 });
  push({ name: 'of the background', bytes: 9, background: true });
  expect(() => push({ name: 'too large', bytes: 11 })).toThrow(SubmissionTooLargeError);
  expect(take()).toEqual(['a']);
  expect(take()).toEqual(['b', 'c']);
  expect(take()).toEqual(['of the background']);
  expect(queue.empty).toBe(true);
});

test('a submission that waits for its look-up lets those pass that touch other aggregates, and only those', async () => {
  const { queue, push, prepare, take } = queueOf();
  push({ name: 'slow', aggregates: [1, 2], slow: true });
  push({ name: 'other', aggregates: [3] });
  push({ name: 'same', aggregates: [2] });
  push({ name: 'behind same', aggregates: [2, 3] });
  expect(take()).toEqual(['other']);
  expect(queue.hasReady).toBe(false);
  expect(queue.empty).toBe(false);
  await prepare('slow');
  expect(queue.hasReady).toBe(true);
  expect(take()).toEqual(['slow', 'same', 'behind same']);
  expect(queue.empty).toBe(true);
});

test('one that does not say what it touches passes no other, and none passes it while it is slow', async () => {
  const { push, prepare, take } = queueOf();
  push({ name: 'slow', aggregates: [1], slow: true });
  push({ name: 'silent' });
  push({ name: 'other', aggregates: [3] });
  expect(take()).toEqual([]);
  await prepare('slow');
  expect(take()).toEqual(['slow', 'silent', 'other']);
});

test('callers go first, and the background has an eighth of each turn', () => {
  const { push, take } = queueOf({ turnCommands: 16 });
  for (let at = 0; at < 20; at += 1) push({ name: `b${at}`, aggregates: [at], background: true });
  for (let at = 0; at < 40; at += 1) push({ name: `c${at}`, aggregates: [at] });
  const turn = take();
  expect(turn.slice(0, 14)).toEqual(Array.from({ length: 14 }, (_, at) => `c${at}`));
  expect(turn.slice(14)).toEqual(['b0', 'b1']);
});

test('without callers the background has the whole turn, and one that is larger than its share goes all the same', () => {
  const alone = queueOf({ turnCommands: 16 });
  for (let at = 0; at < 20; at += 1) alone.push({ name: `b${at}`, aggregates: [at], background: true });
  expect(alone.take()).toHaveLength(16);
  const large = queueOf({ turnCommands: 16 });
  for (let at = 0; at < 40; at += 1) large.push({ name: `c${at}`, aggregates: [at] });
  large.push({ name: 'large', aggregates: [1], commands: 10, background: true });
  expect(large.take()).toContain('large');
});

test('a full lane refuses, whatever the other one has', () => {
  const { queue, push } = queueOf({ queueCommands: 2 });
  push({ name: 'c1', aggregates: [1] });
  push({ name: 'c2', aggregates: [1] });
  expect(() => push({ name: 'c3', aggregates: [1] })).toThrow(QueueFullError);
  push({ name: 'b1', aggregates: [1], background: true });
  push({ name: 'b2', aggregates: [1], background: true });
  expect(() => push({ name: 'b3', aggregates: [2], background: true })).toThrow(QueueFullError);
  expect(queue.commands).toBe(4);
});

test('the segments of old request ids are kept until every submission that was looked up before is taken', async () => {
  const { queue, push, prepare, take } = queueOf();
  push({ name: 'slow', aggregates: [1], slow: true });
  push({ name: 'quick', aggregates: [2] });
  const { submitted } = queue;
  expect(take()).toEqual(['quick']);
  expect(queue.hasTaken(submitted)).toBe(false);
  await prepare('slow');
  expect(queue.hasReady).toBe(true);
  push({ name: 'younger', aggregates: [3] });
  expect(queue.hasTaken(submitted)).toBe(false);
  expect(take()).toEqual(['slow', 'younger']);
  expect(queue.hasTaken(submitted)).toBe(true);
});

test('clearing gives back all that waits, in the order in which it came', async () => {
  const { queue, push } = queueOf();
  push({ name: 'a', aggregates: [1], slow: true });
  push({ name: 'b', aggregates: [2], background: true });
  push({ name: 'c', aggregates: [1] });
  push({ name: 'd', aggregates: [4] });
  expect(queue.clear().map((submission) => (submission as WaitingSubmission).name)).toEqual(['a', 'b', 'c', 'd']);
  expect(queue.empty).toBe(true);
  expect(queue.commands).toBe(0);
});

test('in every interleaving, submissions that share an aggregate are taken in their order, and none is lost', async () => {
  const given = fc.record({ aggregates: fc.uniqueArray(fc.nat(3), { minLength: 1, maxLength: 3 }), slow: fc.boolean() });
  const step = fc.oneof(
    fc.record({ kind: fc.constant('push' as const), given }),
    fc.record({ kind: fc.constant('prepare' as const), at: fc.nat(20) }),
    fc.constant({ kind: 'take' as const }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { push, prepare, take } = queueOf({ turnCommands: 3 });
      const pushed: { name: string; aggregates: readonly number[]; slow: boolean }[] = [];
      const taken: string[] = [];
      for (const next of steps) {
        if (next.kind === 'push') {
          const one = { name: String(pushed.length), ...next.given };
          pushed.push(one);
          push(one);
        } else if (next.kind === 'take') taken.push(...take());
        else if (next.at < pushed.length) await prepare(String(next.at));
      }
      for (const { name } of pushed) await prepare(name);
      for (let turn = take(); turn.length > 0; turn = take()) taken.push(...turn);
      expect([...taken].sort()).toEqual(pushed.map(({ name }) => name).sort());
      for (const [at, one] of pushed.entries()) {
        for (const later of pushed.slice(at + 1)) {
          if (one.aggregates.some((aggregate) => later.aggregates.includes(aggregate))) expect(taken.indexOf(one.name)).toBeLessThan(taken.indexOf(later.name));
        }
      }
    }),
    { numRuns: 200 },
  );
});
