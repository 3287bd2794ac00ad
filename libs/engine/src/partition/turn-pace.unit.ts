import { TurnPace } from './turn-pace';

test.each`
  of                                                             | commandUs | appendUs  | share
  ${'a fast log: what is done while a commit is appended'}       | ${1}      | ${16_000} | ${0.2}
  ${'a very fast log: a thirty-second at least'}                 | ${1}      | ${100}    | ${1 / 32}
  ${'a slow log: a full turn, so that it is not the bottleneck'} | ${1}      | ${90_000} | ${1}
  ${'nothing measured'}                                          | ${0}      | ${0}      | ${1}
  ${'a clock that stands still'}                                 | ${0}      | ${5_000}  | ${1}
`('$of', ({ commandUs, appendUs, share }: { commandUs: number; appendUs: number; share: number }) => {
  const pace = new TurnPace(10_000);
  for (let turn = 0; turn < 3; turn += 1) {
    pace.decided(1_000, commandUs * 1_000);
    pace.appended(appendUs);
  }
  expect(pace.share).toBeCloseTo(share);
});

test('a single slow commit does not make full turns, and a log that stays slow does', () => {
  const pace = new TurnPace(10_000);
  pace.decided(1_000, 1_000);
  pace.appended(8_000);
  pace.appended(160_000);
  expect(pace.share).toBeLessThan(0.5);
  for (let commit = 0; commit < 10; commit += 1) pace.appended(160_000);
  expect(pace.share).toBe(1);
});

test('a clock that is set back changes nothing', () => {
  const pace = new TurnPace(10_000);
  pace.decided(1_000, 1_000);
  pace.appended(16_000);
  pace.decided(1_000, -60_000_000);
  pace.appended(-60_000_000);
  expect(pace.share).toBeCloseTo(0.2);
});
