/** When schedules run, and how much is computed for it. */
import { taskpb } from '@sluice/protocol/task';
import { dueRuns, runsAfter } from './schedule-runs';

const HOUR_US = 3_600_000_000;
const at = (text: string): number => Date.parse(text) * 1_000;
const specOf = (partial: object): taskpb.ScheduleSpec => taskpb.ScheduleSpec.fromPartial(partial);

describe.each([
  ['cron', specOf({ cron: '0 * * * *', timeZone: 'Europe/Berlin' })],
  ['interval', specOf({ intervalMs: 3_600_000 })],
])('%s', (_what, spec) => {
  const known = runsAfter(spec, at('2026-03-28T12:00:00Z'), at('2026-03-28T12:00:00Z'));
  const first = known[0] as number;

  test('a run that is due costs the one that becomes known ahead', () => {
    const { dueUs, nextUs, computed, left } = dueRuns(spec, known, first + 5);
    expect({ dueUs, computed, left }).toEqual({ dueUs: [first], computed: 1, left: 0 });
    expect(nextUs).toEqual(Array.from({ length: 10 }, (_, step) => first + (step + 1) * HOUR_US));
  });

  test('runs beyond those that were known are found, each once', () => {
    const { dueUs, nextUs, left } = dueRuns(spec, known, first + 30 * HOUR_US);
    expect(dueUs).toEqual(Array.from({ length: 31 }, (_, step) => first + step * HOUR_US));
    expect([left, nextUs[0], nextUs.length]).toEqual([0, first + 31 * HOUR_US, 10]);
  });

  test('a catch-up over years is bounded, and has the newest runs', () => {
    const nowUs = first + 5 * 365 * 24 * HOUR_US;
    const { dueUs, nextUs, computed, left } = dueRuns(spec, known, nowUs);
    expect(dueUs).toHaveLength(1_000);
    expect([dueUs.at(-1), nextUs[0]]).toEqual([nowUs, nowUs + HOUR_US]);
    expect(Math.abs(left + 1_000 - 5 * 365 * 24)).toBeLessThan(5);
    expect(computed).toBeLessThan(3_100);
  });
});

test('29 February comes every four years', () => {
  const spec = specOf({ cron: '0 12 29 2 *' });
  const runs = runsAfter(spec, at('2026-01-01T00:00:00Z'), 0);
  expect(runs.slice(0, 3)).toEqual(['2028', '2032', '2036'].map((year) => at(`${year}-02-29T12:00:00Z`)));
});
