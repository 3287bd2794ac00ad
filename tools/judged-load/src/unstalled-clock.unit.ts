import { UnstalledClock } from './unstalled-clock';

test.each`
  what                                    | steps                | countedMs
  ${'a machine that keeps up'}            | ${[10, 12, 40, 100]} | ${162}
  ${'a stall counts as the longest step'} | ${[10, 3_000, 10]}   | ${120}
  ${'each stall counts by itself'}        | ${[500, 10, 60_000]} | ${210}
`('$what', ({ steps, countedMs }: { steps: number[]; countedMs: number }) => {
  let monotonicMs = 77;
  const clock = new UnstalledClock(() => monotonicMs);
  let nowMs = 0;
  for (const step of steps) {
    monotonicMs += step;
    nowMs = clock.nowMs();
  }
  expect(nowMs).toBe(countedMs);
  clock.stop();
});
