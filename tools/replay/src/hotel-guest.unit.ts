/** Which request goes to which number is said by the rules of reservations alone; the plan must not depend on more. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type HotelBooking, readHotelFile } from './hotel-booking';
import { type HotelPlan, planHotel } from './hotel-guest';
import { summarizeReservationReplay } from './reservation-replay-summary';

const booking = (at: number, partial: Partial<HotelBooking>): HotelBooking => ({
  line: at + 2,
  number: `H${at}`,
  bookedDay: 0,
  arrivalDay: 10,
  endedDay: 12,
  roomType: 'A',
  finalStatus: 'Check-Out',
  ...partial,
});

/** "C3-5" is booked on day 3, and comes on day 5, cancels on day 5 or does not come. */
function bookingsOf(text: string): HotelBooking[] {
  const statuses = { C: 'Check-Out', X: 'Canceled', N: 'No-Show' } as const;
  return text.split(' ').map((part, at) => {
    const [, status = 'C', booked, then] = /^([CXN])(\d+)-(\d+)$/.exec(part) ?? [];
    const ended = status === 'C' ? Number(then) + 2 : Number(then);
    return booking(at, { finalStatus: statuses[status as 'C'], bookedDay: Number(booked), arrivalDay: Number(then), endedDay: ended });
  });
}

const aloneOf = ({ associates }: HotelPlan): string[] => [...associates].filter(([, { isAlone }]) => isAlone).map(([number]) => number);

test.each`
  why                                           | bookings                           | alone
  ${'every second one'}                         | ${'C0-5 C1-6 C2-7'}                | ${['H1']}
  ${'one before it is still reserved'}          | ${'C3-9 C4-5 C5-6'}                | ${[]}
  ${'one before it is cancelled by then'}       | ${'X0-4 C3-5 C4-6'}                | ${['H2']}
  ${'one before it is cancelled that day'}      | ${'X0-6 C3-5 C4-6'}                | ${['H2']}
  ${'one before it is cancelled later'}         | ${'X0-9 C3-5 C4-6'}                | ${[]}
  ${'one behind it is cancelled later'}         | ${'C3-5 C4-6 X5-9'}                | ${['H1']}
  ${'one before it never comes'}                | ${'N0-1 C3-5 C4-6'}                | ${[]}
  ${'what could not do without is made up for'} | ${'N0-1 C0-5 C1-6 C7-9 C8-9 C9-9'} | ${['H3', 'H4']}
`('a request names the guest alone: $why', ({ bookings, alone }: { bookings: string; alone: string[] }) => {
  expect(aloneOf(planHotel(bookingsOf(bookings)))).toEqual(alone);
});

/** What a request without a number takes: the first that is RESERVED, in order of reservation. */
function takenInTurn({ guests, associates }: HotelPlan): Map<string, string | undefined> {
  const taken = new Map<string, string | undefined>();
  for (const { steps } of guests) {
    const reserved: string[] = [];
    const leave = (number: string): unknown => reserved.includes(number) && reserved.splice(reserved.indexOf(number), 1);
    const parked: string[] = [];
    const take = (asked: string, number: string | undefined): void => {
      taken.set(asked, number);
      if (number !== undefined) leave(number);
    };
    for (const {
      kind,
      booking: { number },
    } of steps) {
      const { isAlone = false, isEarly = false } = associates.get(number) ?? {};
      if (kind === 'reserve') {
        if (isEarly) {
          if (isAlone && reserved.length > 0) take(number, reserved[0]);
          else parked.push(number);
        }
        reserved.push(number);
        for (const asked of parked.splice(0)) take(asked, associates.get(asked)?.isAlone === true ? reserved[0] : asked);
      } else if (kind === 'associate') {
        if (!isEarly) take(number, isAlone ? reserved[0] : number);
      } else leave(number);
    }
  }
  return taken;
}

test('whatever the bookings are, each request takes the number of the booking that it is meant for', () => {
  const day = fc.integer({ min: 0, max: 9 });
  const one = fc.record({ status: fc.constantFrom('C', 'C', 'X', 'N'), booked: day, after: day });
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 60 }), (made) => {
      const bookings = bookingsOf(made.map(({ status, booked, after }) => `${status}${booked}-${booked + after}`).join(' '));
      const plan = planHotel(bookings);
      const taken = takenInTurn(plan);
      const coming = bookings.filter(({ finalStatus }) => finalStatus === 'Check-Out').map(({ number }) => number);
      expect([...taken].filter(([asked, number]) => asked !== number)).toEqual([]);
      expect([...taken.keys()].sort()).toEqual(coming.sort());
    }),
  );
});

test('of many, half name the guest alone, and one in ten comes early, of either kind', () => {
  const { associates } = planHotel(Array.from({ length: 1_000 }, (_, at) => booking(at, { bookedDay: at % 3, arrivalDay: 10 + (at % 3) })));
  const of = (alone: boolean, early: boolean): number =>
    [...associates.values()].filter(({ isAlone, isEarly }) => isAlone === alone && isEarly === early).length;
  expect(of(true, false) + of(true, true)).toBe(500);
  expect(of(true, true) + of(false, true)).toBe(100);
  expect(Math.min(of(true, true), of(false, true))).toBeGreaterThan(0);
});

describe('the file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-hotel-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const HEADER = 'reservation_number,booked_on,arrival_on,reserved_room_type,final_status,final_status_on';
  const read = (...rows: string[]): Promise<HotelBooking[]> => {
    const file = join(folder, 'hotel.csv');
    writeFileSync(file, [HEADER, ...rows].join('\n'));
    return readHotelFile(file);
  };

  test('a row becomes a booking', async () => {
    expect(await read('H1,1970-01-02,1970-01-03,C,No-Show,1970-01-04')).toEqual([
      { line: 2, number: 'H1', bookedDay: 1, arrivalDay: 2, endedDay: 3, roomType: 'C', finalStatus: 'No-Show' },
    ]);
  });

  test.each`
    row                                                 | message
    ${'H2,2015-7-1,2015-07-01,A,Canceled,2015-07-01'}   | ${/line 3: booked_on is "2015-7-1", not YYYY-MM-DD/}
    ${'H2,2015-13-01,2015-07-01,A,Canceled,2015-07-01'} | ${/line 3: booked_on is "2015-13-01"/}
    ${'H2,2015-07-01,2015-07-01,A,Left,2015-07-01'}     | ${/line 3: final_status is "Left", not Check-Out, Canceled, No-Show/}
    ${',2015-07-01,2015-07-01,A,Canceled,2015-07-01'}   | ${/line 3: reservation_number is ""/}
    ${'H1,2015-07-01,2015-07-01,A,Canceled,2015-07-01'} | ${/line 3: reservation_number H1 is on line 2 already/}
  `('a malformed one is refused with its line: $row', async ({ row, message }: { row: string; message: RegExp }) => {
    await expect(read('H1,2015-07-01,2015-07-01,A,Canceled,2015-07-01', row)).rejects.toThrow(message);
  });
});

test.each`
  mismatches | lost     | exitCode | last
  ${[]}      | ${[]}    | ${0}     | ${'7 reservations, 0 mismatches, 0 lost'}
  ${['m']}   | ${[]}    | ${1}     | ${'7 reservations, 1 mismatches, 0 lost'}
  ${[]}      | ${['l']} | ${1}     | ${'7 reservations, 0 mismatches, 1 lost'}
`('it ends with what differs: $last', ({ mismatches, lost, exitCode, last }: { mismatches: string[]; lost: string[]; exitCode: number; last: string }) => {
  const counts = { reservations: 7, completed: 4, cancelled: 2, expired: 1, associates: 4, alone: 2, early: 1, resources: 1 };
  const summary = summarizeReservationReplay({ ...counts, mismatches, lost });
  expect(summary.exitCode).toBe(exitCode);
  expect(summary.lines.at(-1)).toBe(last);
});
