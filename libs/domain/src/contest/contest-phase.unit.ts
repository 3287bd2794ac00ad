import { CONTEST_PHASES, CONTEST_STEPS, nextPhase, type ContestPhase, type ContestStep } from './contest-phase';

// One row per phase, one column per step: where it leads; -: it is not possible.
test.each`
  phase            | CREATE       | JOIN             | ASK_FUND      | FUND_REFUSED | START        | SCORE        | END_ROUND        | ROUND_RECONCILED | WINNERS_NAMED | BEGIN_REWARDS  | REWARDS_SETTLED | CANCEL
  ${'NONE'}        | ${'CREATED'} | ${'-'}           | ${'-'}        | ${'-'}       | ${'-'}       | ${'-'}       | ${'-'}           | ${'-'}           | ${'-'}        | ${'-'}         | ${'-'}          | ${'-'}
  ${'CREATED'}     | ${'-'}       | ${'CREATED'}     | ${'STARTING'} | ${'-'}       | ${'RUNNING'} | ${'-'}       | ${'-'}           | ${'-'}           | ${'-'}        | ${'-'}         | ${'-'}          | ${'CANCELLED'}
  ${'STARTING'}    | ${'-'}       | ${'STARTING'}    | ${'-'}        | ${'CREATED'} | ${'RUNNING'} | ${'-'}       | ${'-'}           | ${'-'}           | ${'-'}        | ${'-'}         | ${'-'}          | ${'CANCELLED'}
  ${'RUNNING'}     | ${'-'}       | ${'RUNNING'}     | ${'-'}        | ${'-'}       | ${'-'}       | ${'RUNNING'} | ${'RECONCILING'} | ${'-'}           | ${'-'}        | ${'-'}         | ${'-'}          | ${'CANCELLED'}
  ${'RECONCILING'} | ${'-'}       | ${'RECONCILING'} | ${'-'}        | ${'-'}       | ${'-'}       | ${'-'}       | ${'-'}           | ${'RUNNING'}     | ${'ENDED'}    | ${'REWARDING'} | ${'-'}          | ${'CANCELLED'}
  ${'REWARDING'}   | ${'-'}       | ${'-'}           | ${'-'}        | ${'-'}       | ${'-'}       | ${'-'}       | ${'-'}           | ${'-'}           | ${'-'}        | ${'-'}         | ${'ENDED'}      | ${'-'}
  ${'ENDED'}       | ${'-'}       | ${'-'}           | ${'-'}        | ${'-'}       | ${'-'}       | ${'-'}       | ${'-'}           | ${'-'}           | ${'-'}        | ${'-'}         | ${'-'}          | ${'-'}
  ${'CANCELLED'}   | ${'-'}       | ${'-'}           | ${'-'}        | ${'-'}       | ${'-'}       | ${'-'}       | ${'-'}           | ${'-'}           | ${'-'}        | ${'-'}         | ${'-'}          | ${'-'}
`('$phase', ({ phase, ...row }: { phase: ContestPhase } & Record<ContestStep, string>) => {
  for (const step of CONTEST_STEPS) expect([step, nextPhase(phase, step) ?? '-']).toEqual([step, row[step]]);
});

test('every phase has a row', () => {
  expect(CONTEST_PHASES).toHaveLength(8);
});
