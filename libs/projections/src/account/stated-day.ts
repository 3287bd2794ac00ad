/**
 * What the events that name an account say of its business dates, packed into one field of its row: the newest date that has ended for it, its balance then, and
 * what it closed earlier dates with. Null for an account that no dated event names yet, which is every account of a branch without dates.
 */
import { FIRST_DATE, type CalendarDate } from '@sluice/domain/day';
import { ByteReader, ByteWriter } from '@sluice/protocol';

/** What an account closed dates with, from this one up to the next one that is known. */
export interface ClosedWith {
  readonly date: CalendarDate;
  readonly balanceMinor: bigint;
  /** Commit that said so. */
  readonly sequence: number;
}

/** `date` is the last-day date, `balanceMinor` the last-day balance. */
export interface StatedDay extends ClosedWith {
  /** The dates before; undefined: dates were set back by hand. */
  readonly before: ClosedWith | undefined;
  /** Commit time at which the last-day balance became another one, microseconds; 0: it never did. */
  readonly updatedAtUs: number;
  /** Business date of the newest posting; undefined: none was dated. */
  readonly balanceDate: CalendarDate | undefined;
  /** Date behind the last-day date at which postings changed the balance. There is one at most: a posting of a later one ends it. Undefined: there were none. */
  readonly openDate: CalendarDate | undefined;
  /** The commit set dates by hand, or for the first time, before it said this. */
  readonly behindSetDates: boolean;
}

const VERSION = 1;
const DATE = 0x08;
const BALANCE = 0x10;
const SEQUENCE = 0x18;
const UPDATED_AT = 0x20;
const BALANCE_DATE = 0x28;
const OPEN_DATE = 0x58;
const BEHIND_SET_DATES = 0x30;
const HAS_BEFORE = 0x38;
const BEFORE_DATE = 0x40;
const BEFORE_BALANCE = 0x48;
const BEFORE_SEQUENCE = 0x50;

const writer = new ByteWriter(256);

export function encodeStatedDay({ date, balanceMinor, sequence, before, updatedAtUs, balanceDate, openDate, behindSetDates }: StatedDay): Uint8Array {
  writer.reset();
  writer.byte(VERSION);
  writer.numberField(DATE, date - FIRST_DATE);
  writer.sint64Field(BALANCE, balanceMinor);
  writer.numberField(SEQUENCE, sequence);
  writer.numberField(UPDATED_AT, updatedAtUs);
  if (balanceDate !== undefined) writer.numberField(BALANCE_DATE, balanceDate - FIRST_DATE + 1);
  if (openDate !== undefined) writer.numberField(OPEN_DATE, openDate - FIRST_DATE + 1);
  writer.numberField(BEHIND_SET_DATES, behindSetDates ? 1 : 0);
  if (before !== undefined) {
    writer.numberField(HAS_BEFORE, 1);
    writer.numberField(BEFORE_DATE, before.date - FIRST_DATE);
    writer.sint64Field(BEFORE_BALANCE, before.balanceMinor);
    writer.numberField(BEFORE_SEQUENCE, before.sequence);
  }
  return writer.copy();
}

export function decodeStatedDay(bytes: Uint8Array): StatedDay {
  const reader = new ByteReader(bytes, 0, bytes.length);
  const version = reader.varint();
  if (version !== VERSION) throw new Error(`version ${version} of an account's day is not known to this version of Sluice`);
  const numbers = new Map<number, number>();
  let balanceMinor = 0n;
  let balanceBeforeMinor = 0n;
  while (!reader.done) {
    const tag = reader.varint();
    if (tag === BALANCE) balanceMinor = reader.sint64();
    else if (tag === BEFORE_BALANCE) balanceBeforeMinor = reader.sint64();
    else numbers.set(tag, reader.varint());
  }
  const numberOf = (tag: number): number => numbers.get(tag) ?? 0;
  const optionalDate = (tag: number): CalendarDate | undefined => (numberOf(tag) === 0 ? undefined : numberOf(tag) + FIRST_DATE - 1);
  return {
    date: numberOf(DATE) + FIRST_DATE,
    balanceMinor,
    sequence: numberOf(SEQUENCE),
    before:
      numberOf(HAS_BEFORE) === 0
        ? undefined
        : { date: numberOf(BEFORE_DATE) + FIRST_DATE, balanceMinor: balanceBeforeMinor, sequence: numberOf(BEFORE_SEQUENCE) },
    updatedAtUs: numberOf(UPDATED_AT),
    balanceDate: optionalDate(BALANCE_DATE),
    openDate: optionalDate(OPEN_DATE),
    behindSetDates: numberOf(BEHIND_SET_DATES) === 1,
  };
}
