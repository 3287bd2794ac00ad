import type { BatchRun, RunStep } from '@sluice/client';
import { changeLines, progressLines } from './run-progress';

const step = (kind: RunStep['kind'], changes: Partial<RunStep> = {}): RunStep => ({
  stepId: '',
  kind,
  job: undefined,
  done: 0n,
  total: 0n,
  changed: 0n,
  begunAt: undefined,
  endedAt: undefined,
  rate: 0,
  remainingMs: 0,
  ...changes,
});
const CUT = step('CUT', { begunAt: new Date(1_000), endedAt: new Date(1_012) });
const ROLLED = step('ROLL', { begunAt: new Date(1_012), endedAt: new Date(3_512), done: 10_000n, total: 10_000n, changed: 9_000n });
const ACCRUING = step('JOB', { job: 'INTEREST', begunAt: new Date(3_512), done: 2_500n, total: 10_000n, rate: 1_234.5, remainingMs: 61_500 });
const BEGIN = step('BEGIN');

const run = (changes: Partial<BatchRun> = {}): BatchRun => ({
  runId: 'prague/2026-11-27',
  branchId: 'prague',
  date: '2026-11-27',
  nextDate: '2026-11-30',
  state: 'RUNNING',
  goal: 'BEGIN',
  steps: [CUT, ROLLED, ACCRUING, BEGIN],
  begunAt: new Date(1_000),
  endedAt: undefined,
  setAside: [],
  setAsideCount: 0,
  stragglers: 0,
  forcedReason: '',
  ...changes,
});

test('on a terminal, a bar for each step', () => {
  expect(progressLines(run(), 90)).toEqual([
    'prague: 2026-11-27 → 2026-11-30                                          RUNNING, to BEGIN',
    '  cut       ████████████████████████  12 ms',
    '  roll      ████████████████████████  2.5 s, 10,000 looked at, 9,000 changed',
    '  interest  ██████░░░░░░░░░░░░░░░░░░  25%, 2,500 of 10,000, 1,235/s, 1:02 left',
    '  begin     ░░░░░░░░░░░░░░░░░░░░░░░░',
  ]);
  for (const columns of [20, 40]) expect(Math.max(...progressLines(run(), columns).map(({ length }) => length))).toBeLessThanOrEqual(columns);
});

test.each`
  what                             | changes                                                                                                  | shows
  ${'what is set aside'}           | ${{ state: 'WAITING', setAsideCount: 2, setAside: [{ accountId: 'a', stepId: 's', reason: 'CLOSED' }] }} | ${['WAITING behind BEGIN', 'accounts set aside: 2; the first: a, CLOSED']}
  ${'what came too late'}          | ${{ state: 'PAUSED', stragglers: 1_200 }}                                                                | ${['PAUSED', 'on their way when it was sealed: 1,200']}
  ${'that it was forced, and why'} | ${{ state: 'ENDED', endedAt: new Date(4_000), forcedReason: 'late' }}                                    | ${['ENDED after 3.0 s', 'forced: late']}
`('under the bars, $what', ({ changes, shows }: { changes: Partial<BatchRun>; shows: string[] }) => {
  const lines = progressLines(run(changes), 100).join('\n');
  for (const text of shows) expect(lines).toContain(text);
});

describe('in a pipe, a line per change', () => {
  const [CUTTING, ROLLING] = [step('CUT', { begunAt: CUT.begunAt }), step('ROLL', { begunAt: ROLLED.begunAt, total: 10_000n })];
  const first = run({ steps: [CUTTING, step('ROLL'), step('JOB', { job: 'INTEREST' }), BEGIN] });

  test('what a run closes, and its steps as they begin and end', () => {
    expect(changeLines(undefined, first)).toEqual([
      '1970-01-01T00:00:01.000Z  prague/2026-11-27  closes 2026-11-27, 2026-11-30 is next',
      '1970-01-01T00:00:01.000Z  prague/2026-11-27  cut began',
    ]);
    const second = run({ steps: [CUT, ROLLING, step('JOB', { job: 'INTEREST' }), BEGIN] });
    expect(changeLines(first, second)).toEqual([
      '1970-01-01T00:00:01.012Z  prague/2026-11-27  cut ended: 12 ms',
      '1970-01-01T00:00:01.012Z  prague/2026-11-27  roll began',
    ]);
    expect(changeLines(second, run({ steps: [CUT, ROLLED, step('JOB', { job: 'INTEREST', begunAt: ACCRUING.begunAt }), BEGIN] }))).toEqual([
      '1970-01-01T00:00:03.512Z  prague/2026-11-27  roll ended: 2.5 s, 10,000 looked at, 9,000 changed',
      '1970-01-01T00:00:03.512Z  prague/2026-11-27  interest began',
    ]);
  });

  test('how far a step is, once for each tenth', () => {
    const at = (done: bigint): BatchRun => run({ steps: [CUT, ROLLED, { ...ACCRUING, done }, BEGIN] });
    expect(changeLines(at(1_000n), at(1_999n))).toEqual([]);
    expect(changeLines(at(1_999n), at(2_500n))).toEqual(['prague/2026-11-27  interest: 25%, 2,500 of 10,000, 1,235/s, 1:02 left']);
  });

  test('that it waits, pauses, goes on and ends', () => {
    const waiting = run({ state: 'WAITING', goal: 'BATCH' });
    expect(changeLines(run(), waiting)).toEqual(['prague/2026-11-27  WAITING behind BATCH']);
    expect(changeLines(waiting, run({ state: 'PAUSED' }))).toEqual(['prague/2026-11-27  PAUSED']);
    expect(changeLines(run({ state: 'PAUSED' }), run())).toEqual(['prague/2026-11-27  RUNNING, to BEGIN']);
    expect(changeLines(run(), run({ state: 'ENDED', endedAt: new Date(4_000), stragglers: 1 }))).toEqual([
      'prague/2026-11-27  transfers that were still on their way when it was sealed: 1',
      '1970-01-01T00:00:04.000Z  prague/2026-11-27  ENDED after 3.0 s',
    ]);
  });
});
