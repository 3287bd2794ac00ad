import { ManualClock } from '@sluice/memory';
import { AnswerDeadlines } from './answer-deadlines';

let clock: ManualClock;
let deadlines: AnswerDeadlines;
let late: string[];

beforeEach(() => {
  clock = new ManualClock();
  deadlines = new AnswerDeadlines(clock);
  late = [];
});

const watch = (name: string, leftMs: number) => deadlines.watch(leftMs, () => late.push(name));

test('each call is told before its deadline, in the order of the deadlines', () => {
  watch('later', 2_000);
  watch('sooner', 1_000);
  clock.advance(850);
  expect(late).toEqual([]);
  clock.advance(100);
  expect(late).toEqual(['sooner']);
  clock.advance(1_000);
  expect(late).toEqual(['sooner', 'later']);
});

test('a call that was answered is not told, and nothing ticks when no call is left', () => {
  const withdraw = watch('answered', 1_000);
  withdraw?.();
  withdraw?.();
  clock.advance(25);
  expect(clock.pendingTimers).toBe(0);
  watch('open', 1_000);
  clock.advance(1_000);
  expect(late).toEqual(['open']);
  expect(clock.pendingTimers).toBe(0);
});

test('a call that is answered by being told leaves the others counted', () => {
  const withdrawn: ((() => void) | undefined)[] = [];
  withdrawn.push(
    deadlines.watch(1_000, () => {
      late.push('first');
      withdrawn[0]?.();
    }),
  );
  watch('second', 5_000);
  clock.advance(1_000);
  expect(late).toEqual(['first']);
  clock.advance(4_000);
  expect(late).toEqual(['first', 'second']);
});

test.each([Number.POSITIVE_INFINITY, 99, 0, -1])('a call with %d ms is not watched', (leftMs) => {
  expect(watch('short', leftMs)).toBeUndefined();
  expect(clock.pendingTimers).toBe(0);
});
