import { CONTEST_PHASES, CONTEST_STEPS, nextPhase, type ContestPhase, type ContestStep } from './contest-phase';

// One row per phase, one column per step: where it leads; -: it is not possible.
test.each`
  phase            | CREATE       | JOIN             | START        | SCORE        | END_ROUND        | ROUND_RECONCILED | WINNERS_NAMED | CANCEL
  ${'NONE'}        | ${'CREATED'} | ${'-'}           | ${'-'}       | ${'-'}       | ${'-'}           | ${'-'}           | ${'-'}        | ${'-'}
  ${'CREATED'}     | ${'-'}       | ${'CREATED'}     | ${'RUNNING'} | ${'-'}       | ${'-'}           | ${'-'}           | ${'-'}        | ${'CANCELLED'}
  ${'RUNNING'}     | ${'-'}       | ${'RUNNING'}     | ${'-'}       | ${'RUNNING'} | ${'RECONCILING'} | ${'-'}           | ${'-'}        | ${'CANCELLED'}
  ${'RECONCILING'} | ${'-'}       | ${'RECONCILING'} | ${'-'}       | ${'-'}       | ${'-'}           | ${'RUNNING'}     | ${'ENDED'}    | ${'CANCELLED'}
  ${'ENDED'}       | ${'-'}       | ${'-'}           | ${'-'}       | ${'-'}       | ${'-'}           | ${'-'}           | ${'-'}        | ${'-'}
  ${'CANCELLED'}   | ${'-'}       | ${'-'}           | ${'-'}       | ${'-'}       | ${'-'}           | ${'-'}           | ${'-'}        | ${'-'}
`('$phase', ({ phase, ...row }: { phase: ContestPhase } & Record<ContestStep, string>) => {
  for (const step of CONTEST_STEPS) expect([step, nextPhase(phase, step) ?? '-']).toEqual([step, row[step]]);
});

test('every phase has a row', () => {
  expect(CONTEST_PHASES).toHaveLength(6);
});
