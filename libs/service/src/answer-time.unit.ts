import { keptBackMs, RecentLateness } from './answer-time';

// A fifth of the time, 50 ms at least and a second at most; twice the lateness on top; never more than half of the time.
test.each`
  leftMs    | latenessMs | keptMs
  ${1_000}  | ${0}       | ${200}
  ${1_000}  | ${100}     | ${400}
  ${1_000}  | ${400}     | ${500}
  ${200}    | ${0}       | ${50}
  ${60}     | ${0}       | ${30}
  ${60_000} | ${0}       | ${1_000}
  ${60_000} | ${2_000}   | ${5_000}
  ${0}      | ${0}       | ${0}
  ${-5}     | ${10}      | ${0}
`('of $leftMs ms, $latenessMs ms late, $keptMs ms are kept back', ({ leftMs, latenessMs, keptMs }: Record<string, number>) => {
  expect(keptBackMs(leftMs as number, latenessMs as number)).toBe(keptMs);
});

test('the largest lateness counts for ten seconds', () => {
  const lateness = new RecentLateness();
  expect(lateness.at(0)).toBe(0);
  lateness.note(300, 1_000);
  lateness.note(20, 2_000);
  expect(lateness.at(11_000)).toBe(300);
  expect(lateness.at(11_001)).toBe(0);
  lateness.note(20, 12_000);
  expect(lateness.at(12_000)).toBe(20);
});
