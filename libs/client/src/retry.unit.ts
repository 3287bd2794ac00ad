import { isRetryable, retryPolicy } from './retry';
import { SluiceError, type StatusName } from './sluice-error';

describe('which failures are tried again', () => {
  test.each`
    code                     | reason                     | again
    ${'UNAVAILABLE'}         | ${''}                      | ${true}
    ${'UNAVAILABLE'}         | ${'PARTITION_UNAVAILABLE'} | ${true}
    ${'UNAVAILABLE'}         | ${'READ_BEHIND'}           | ${true}
    ${'RESOURCE_EXHAUSTED'}  | ${'QUEUE_FULL'}            | ${true}
    ${'RESOURCE_EXHAUSTED'}  | ${'MESSAGE_TOO_LARGE'}     | ${false}
    ${'RESOURCE_EXHAUSTED'}  | ${''}                      | ${false}
    ${'DEADLINE_EXCEEDED'}   | ${''}                      | ${false}
    ${'FAILED_PRECONDITION'} | ${'INSUFFICIENT_FUNDS'}    | ${false}
    ${'INTERNAL'}            | ${'INTERNAL'}              | ${false}
  `('$code $reason: $again', ({ code, reason, again }: { code: StatusName; reason: string; again: boolean }) => {
    expect(isRetryable(new SluiceError({ code, reason, message: '' }))).toBe(again);
  });
});

const unavailable = new SluiceError({ code: 'UNAVAILABLE', reason: '', message: '' });

test('who is above its rate comes again when the server said', () => {
  const limited = new SluiceError({ code: 'RESOURCE_EXHAUSTED', reason: 'RATE_LIMITED', message: '', metadata: { retry_after_ms: '700' } });
  expect(isRetryable(limited)).toBe(true);
  expect(retryPolicy({ baseDelayMs: 20 }).delayMs(1, limited)).toBe(700);
});

test('waits double up to the maximum and are spread over their upper half', () => {
  const slow = retryPolicy(
    { baseDelayMs: 20, maximumDelayMs: 100 },
    () => 0,
    () => 1,
  );
  const quick = retryPolicy(
    { baseDelayMs: 20, maximumDelayMs: 100 },
    () => 0,
    () => 0,
  );
  expect([1, 2, 3, 4, 5].map((repeat) => slow.delayMs(repeat, unavailable))).toEqual([20, 40, 80, 100, 100]);
  expect([1, 2, 3, 4, 5].map((repeat) => quick.delayMs(repeat, unavailable))).toEqual([10, 20, 40, 50, 50]);
});

test('the budget is spent by repeats and filled by successes and by time', () => {
  let now = 0;
  const policy = retryPolicy({ budget: 2, budgetPerSuccess: 0.5, budgetPerSecond: 1 }, () => now);
  expect([policy.mayRepeat(), policy.mayRepeat(), policy.mayRepeat()]).toEqual([true, true, false]);
  policy.succeeded();
  policy.succeeded();
  expect([policy.mayRepeat(), policy.mayRepeat()]).toEqual([true, false]);
  now = 60_000;
  expect([policy.mayRepeat(), policy.mayRepeat(), policy.mayRepeat()]).toEqual([true, true, false]);
});
