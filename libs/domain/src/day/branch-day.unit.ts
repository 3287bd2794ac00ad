import { bookingOf, bookingOfBatch, type BranchDay } from './branch-day';

const FRIDAY = 5;
const MONDAY = 8;
const TUESDAY = 9;

/** Monday is online, Friday is closed and not sealed yet. */
const branch: BranchDay = { onlineDate: MONDAY, closedDate: FRIDAY, nextDate: TUESDAY, rollPolicy: 'BEFORE_POSTING', sealedDate: 4 };

test.each`
  what                                    | initiated    | date       | closed    | valueDate    | inTransit
  ${'here and now'}                       | ${undefined} | ${MONDAY}  | ${FRIDAY} | ${undefined} | ${false}
  ${'at the online date'}                 | ${MONDAY}    | ${MONDAY}  | ${FRIDAY} | ${undefined} | ${false}
  ${'where the day is cut already'}       | ${TUESDAY}   | ${TUESDAY} | ${MONDAY} | ${undefined} | ${false}
  ${'two days ahead'}                     | ${10}        | ${TUESDAY} | ${MONDAY} | ${10}        | ${false}
  ${'on a Sunday, which is no date here'} | ${7}         | ${MONDAY}  | ${FRIDAY} | ${7}         | ${false}
  ${'at the closed date'}                 | ${FRIDAY}    | ${FRIDAY}  | ${FRIDAY} | ${undefined} | ${false}
  ${'at a sealed date'}                   | ${4}         | ${MONDAY}  | ${FRIDAY} | ${4}         | ${true}
  ${'long ago'}                           | ${-300}      | ${MONDAY}  | ${FRIDAY} | ${-300}      | ${true}
`('what was initiated $what is booked at $date', ({ initiated, date, closed, valueDate, inTransit }) => {
  expect(bookingOf(branch, initiated)).toEqual({ date, closed, inTransit, ...(valueDate === undefined ? {} : { valueDate }) });
});

test('what was initiated at the closed date is booked at the online date once that is sealed', () => {
  expect(bookingOf({ ...branch, sealedDate: FRIDAY }, FRIDAY)).toEqual({ date: MONDAY, closed: FRIDAY, valueDate: FRIDAY, inTransit: true });
});

test.each`
  what                        | date      | closed
  ${'of the online date'}     | ${MONDAY} | ${FRIDAY}
  ${'of the closed date'}     | ${FRIDAY} | ${FRIDAY}
  ${'of a date before those'} | ${4}      | ${4}
`('a posting of the batch $what is booked at it, whatever is sealed', ({ date, closed }: { date: number; closed: number }) => {
  for (const sealedDate of [3, FRIDAY]) expect(bookingOfBatch({ ...branch, sealedDate }, date)).toEqual({ date, closed, inTransit: false });
});
