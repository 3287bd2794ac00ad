/** One row of a hotel's booking file. */
import { readCsvFile } from './csv-file';
import { MalformedFileError } from './malformed-file-error';

const HOTEL_COLUMNS = ['reservation_number', 'booked_on', 'arrival_on', 'reserved_room_type', 'final_status', 'final_status_on'] as const;
/** How a booking ended: the guest came and left, cancelled, or never came. */
const FINAL_STATUSES = ['Check-Out', 'Canceled', 'No-Show'] as const;

export interface HotelBooking {
  /** Line of the file, 1 is the header. */
  readonly line: number;
  readonly number: string;
  /** Days since 1970-01-01. */
  readonly bookedDay: number;
  readonly arrivalDay: number;
  readonly endedDay: number;
  readonly roomType: string;
  readonly finalStatus: (typeof FINAL_STATUSES)[number];
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const MS_PER_DAY = 86_400_000;
const MAXIMUM_ID_BYTES = 64;

/** Reads the whole file. Throws MalformedFileError for a row that is not a booking, and for a number that comes twice. */
export async function readHotelFile(file: string): Promise<HotelBooking[]> {
  const bookings = new Map<string, HotelBooking>();
  for await (const booking of readCsvFile(file, { columns: HOTEL_COLUMNS, plural: 'bookings', rowOf: hotelBookingOf })) {
    const { line, number } = booking;
    const earlier = bookings.get(number);
    if (earlier !== undefined) throw new MalformedFileError(file, line, `reservation_number ${number} is on line ${earlier.line} already`);
    bookings.set(number, booking);
  }
  return [...bookings.values()];
}

function hotelBookingOf(file: string, line: number, record: Readonly<Record<string, string>>): HotelBooking {
  const malformed = (column: (typeof HOTEL_COLUMNS)[number], wanted: string): MalformedFileError =>
    new MalformedFileError(file, line, `${column} is ${JSON.stringify(record[column] ?? '')}, not ${wanted}`);
  const id = (column: 'reservation_number' | 'reserved_room_type'): string => {
    const value = record[column] ?? '';
    if (value.trim() === '' || Buffer.byteLength(value) > MAXIMUM_ID_BYTES) throw malformed(column, `an id of 1 to ${MAXIMUM_ID_BYTES} bytes`);
    return value;
  };
  const day = (column: 'booked_on' | 'arrival_on' | 'final_status_on'): number => {
    const value = record[column] ?? '';
    const ms = DATE.test(value) ? Date.parse(value) : Number.NaN;
    if (Number.isNaN(ms)) throw malformed(column, 'YYYY-MM-DD');
    return ms / MS_PER_DAY;
  };
  const finalStatus = FINAL_STATUSES.find((status) => status === record['final_status']);
  if (finalStatus === undefined) throw malformed('final_status', FINAL_STATUSES.join(', '));
  return {
    line,
    number: id('reservation_number'),
    bookedDay: day('booked_on'),
    arrivalDay: day('arrival_on'),
    endedDay: day('final_status_on'),
    roomType: id('reserved_room_type'),
    finalStatus,
  };
}
