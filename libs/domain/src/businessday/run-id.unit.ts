import { dateFromText } from '../day';
import { branchOfRunId, runIdOf, stepIdOf } from './run-id';

test.each`
  branch     | date            | runId
  ${'b1'}    | ${'2026-11-27'} | ${'b1/2026-11-27'}
  ${'a/b{c'} | ${'0999-01-02'} | ${'a/b{c/0999-01-02'}
`('the run of $branch at $date is $runId', ({ branch, date, runId }: Record<'branch' | 'date' | 'runId', string>) => {
  expect(runIdOf(branch, dateFromText(date) as number)).toBe(runId);
  expect(branchOfRunId(runId)).toBe(branch);
});

test.each(['', 'b1', '2026-11-27', '/2026-11-27', 'b1/2026-02-30', 'b1/2026-11-7', 'b1-2026-11-27'])('"%s" is no run', (text) => {
  expect(branchOfRunId(text)).toBeUndefined();
});

test('a step has the number and the kind in its id', () => {
  expect(stepIdOf('b1/2026-11-27', 0, 'STAGE_ONE')).toBe('b1/2026-11-27/00-stage-one');
  expect(stepIdOf('b1/2026-11-27', 12, 'CUT')).toBe('b1/2026-11-27/12-cut');
});
