import { DEFAULT_RETRY, pauseAfterFailureMs } from './retry';

test.each`
  failures | firstPauseMs | growthPercent | maximumPauseMs | pauseMs
  ${1}     | ${1_000}     | ${100}        | ${600_000}     | ${1_000}
  ${2}     | ${1_000}     | ${100}        | ${600_000}     | ${2_000}
  ${5}     | ${1_000}     | ${100}        | ${600_000}     | ${16_000}
  ${11}    | ${1_000}     | ${100}        | ${600_000}     | ${600_000}
  ${4}     | ${500}       | ${0}          | ${600_000}     | ${500}
  ${999}   | ${1_000}     | ${100}        | ${30_000}      | ${30_000}
`('the pause after $failures failures', ({ failures, pauseMs, ...policy }: { failures: number; pauseMs: number }) => {
  expect(pauseAfterFailureMs({ ...DEFAULT_RETRY, ...policy }, 7, failures)).toBe(pauseMs);
});

test('jitter shortens pauses, differently for tasks that fail together, and the same each time it is asked', () => {
  const policy = { ...DEFAULT_RETRY, firstPauseMs: 1_000, jitterPercent: 40 };
  const pauses = Array.from({ length: 1_000 }, (_, number) => pauseAfterFailureMs(policy, number + 1, 1));
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(600);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(1_000);
  expect(new Set(pauses).size).toBeGreaterThan(300);
  expect(pauseAfterFailureMs(policy, 17, 1)).toBe(pauses[16]);
});
