import { isOver, nextState, RESERVATION_STATES, RESERVATION_STEPS, type ReservationState, type ReservationStep } from './reservation-state';

// One row per state, one column per step: where it leads; -: it is not possible.
test.each`
  state           | RESERVE       | ASK          | OBTAIN        | REJECT        | ASSOCIATE       | COMPLETE       | CANCEL         | EXPIRE       | EXTEND
  ${'NONE'}       | ${'RESERVED'} | ${'PENDING'} | ${'-'}        | ${'-'}        | ${'-'}          | ${'-'}         | ${'-'}         | ${'-'}       | ${'-'}
  ${'PENDING'}    | ${'-'}        | ${'-'}       | ${'RESERVED'} | ${'REJECTED'} | ${'-'}          | ${'-'}         | ${'CANCELLED'} | ${'EXPIRED'} | ${'PENDING'}
  ${'RESERVED'}   | ${'-'}        | ${'-'}       | ${'-'}        | ${'-'}        | ${'ASSOCIATED'} | ${'-'}         | ${'CANCELLED'} | ${'EXPIRED'} | ${'RESERVED'}
  ${'ASSOCIATED'} | ${'-'}        | ${'-'}       | ${'-'}        | ${'-'}        | ${'-'}          | ${'COMPLETED'} | ${'CANCELLED'} | ${'-'}       | ${'-'}
  ${'COMPLETED'}  | ${'-'}        | ${'-'}       | ${'-'}        | ${'-'}        | ${'-'}          | ${'-'}         | ${'-'}         | ${'-'}       | ${'-'}
  ${'REJECTED'}   | ${'-'}        | ${'-'}       | ${'-'}        | ${'-'}        | ${'-'}          | ${'-'}         | ${'-'}         | ${'-'}       | ${'-'}
  ${'CANCELLED'}  | ${'-'}        | ${'-'}       | ${'-'}        | ${'-'}        | ${'-'}          | ${'-'}         | ${'-'}         | ${'-'}       | ${'-'}
  ${'EXPIRED'}    | ${'-'}        | ${'-'}       | ${'-'}        | ${'-'}        | ${'-'}          | ${'-'}         | ${'-'}         | ${'-'}       | ${'-'}
`('$state', ({ state, ...row }: { state: ReservationState } & Record<ReservationStep, string>) => {
  for (const step of RESERVATION_STEPS) expect([step, nextState(state, step) ?? '-']).toEqual([step, row[step]]);
});

test('the states that are over have no next one', () => {
  expect(RESERVATION_STATES.filter(isOver)).toEqual(['COMPLETED', 'REJECTED', 'CANCELLED', 'EXPIRED']);
});
