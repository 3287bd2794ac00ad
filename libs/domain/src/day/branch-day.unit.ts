import { bookingOf, bookingOfBatch, bookingOfCaller, bookingOfLeg, type Booking, type BranchDay } from './branch-day';

const FRIDAY = 5;
const MONDAY = 8;
const TUESDAY = 9;

/** Monday is online, Friday is closed and not sealed yet. */
const branch: BranchDay = { onlineDate: MONDAY, closedDate: FRIDAY, nextDate: TUESDAY, rollPolicy: 'BEFORE_POSTING', sealedDate: 4, totalledDate: 4 };
const sealed: BranchDay = { ...branch, sealedDate: FRIDAY };
const totalled: BranchDay = { ...sealed, totalledDate: FRIDAY };

interface Row {
  readonly on: BranchDay;
  readonly initiated: number;
  readonly date: number;
  readonly closed: number;
  readonly valueDate: number | undefined;
  readonly inTransit: boolean;
}

function expected({ date, closed, valueDate, inTransit }: Row): Booking {
  return { date, closed, inTransit, isFixed: true, ...(valueDate === undefined ? {} : { valueDate }) };
}

test('what is initiated here and now is booked at the online date, and the roll policy may count it to the closed one', () => {
  for (const each of [branch, sealed, totalled]) expect(bookingOf(each)).toEqual({ date: MONDAY, closed: FRIDAY, inTransit: false, isFixed: false });
});

test.each`
  what                                         | on          | initiated  | date      | closed    | valueDate    | inTransit
  ${'at the online date'}                      | ${branch}   | ${MONDAY}  | ${MONDAY} | ${FRIDAY} | ${undefined} | ${false}
  ${'at a date to come'}                       | ${branch}   | ${TUESDAY} | ${MONDAY} | ${FRIDAY} | ${TUESDAY}   | ${false}
  ${'at a date to come, when all is totalled'} | ${totalled} | ${TUESDAY} | ${MONDAY} | ${FRIDAY} | ${TUESDAY}   | ${false}
  ${'on a Sunday, which is no date here'}      | ${branch}   | ${7}       | ${MONDAY} | ${FRIDAY} | ${7}         | ${false}
  ${'at the closed date'}                      | ${branch}   | ${FRIDAY}  | ${FRIDAY} | ${FRIDAY} | ${undefined} | ${false}
  ${'at the closed date, when that is sealed'} | ${sealed}   | ${FRIDAY}  | ${MONDAY} | ${FRIDAY} | ${FRIDAY}    | ${true}
  ${'at a sealed date'}                        | ${branch}   | ${4}       | ${MONDAY} | ${FRIDAY} | ${4}         | ${true}
  ${'long ago'}                                | ${branch}   | ${-300}    | ${MONDAY} | ${FRIDAY} | ${-300}      | ${true}
`('what a caller says was initiated $what is booked at $date', (row: Row) => {
  expect(bookingOfCaller(row.on, row.initiated)).toEqual(expected(row));
});

test.each`
  what                                           | on          | initiated  | date       | closed    | valueDate    | inTransit
  ${'at the online date'}                        | ${branch}   | ${MONDAY}  | ${MONDAY}  | ${FRIDAY} | ${undefined} | ${false}
  ${'where the day is cut already'}              | ${totalled} | ${TUESDAY} | ${TUESDAY} | ${MONDAY} | ${undefined} | ${false}
  ${'two days ahead'}                            | ${totalled} | ${10}      | ${TUESDAY} | ${MONDAY} | ${10}        | ${false}
  ${'ahead, before the closed date is totalled'} | ${sealed}   | ${TUESDAY} | ${MONDAY}  | ${FRIDAY} | ${TUESDAY}   | ${false}
  ${'at the closed date'}                        | ${branch}   | ${FRIDAY}  | ${FRIDAY}  | ${FRIDAY} | ${undefined} | ${false}
  ${'at a sealed date'}                          | ${sealed}   | ${FRIDAY}  | ${MONDAY}  | ${FRIDAY} | ${FRIDAY}    | ${true}
`('a leg that was debited $what is booked at $date', (row: Row) => {
  expect(bookingOfLeg(row.on, row.initiated)).toEqual(expected(row));
});

test.each`
  what                        | date      | closed
  ${'of the online date'}     | ${MONDAY} | ${FRIDAY}
  ${'of the closed date'}     | ${FRIDAY} | ${FRIDAY}
  ${'of a date before those'} | ${4}      | ${4}
`('a posting of the batch $what is booked at it, whatever is sealed', ({ date, closed }: { date: number; closed: number }) => {
  for (const each of [branch, sealed, totalled]) expect(bookingOfBatch(each, date)).toEqual({ date, closed, inTransit: false, isFixed: true });
});
