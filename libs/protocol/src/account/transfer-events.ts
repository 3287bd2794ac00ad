/**
 * The events of transfers, written from columns and read by hand: an account's part is read without decoding its transfers, which replay does not need.
 */
import { ByteReader } from '../wire/byte-reader';
import type { ByteWriter } from '../wire/byte-writer';
import { type PostingBatch, REQUEST_ID_AT, REQUEST_ID_LENGTH, STRIDE } from './posting-batch';
import { AccountSettlements, AccountTransfers } from '../generated/sluice/account/v1/events';

/** What replay needs of an account's part of TransfersRecorded or TransfersSettled. */
export interface TransfersOfAccount {
  readonly accountId: string;
  /** TransfersRecorded: what is in transit from now on. TransfersSettled: what is not any more. */
  readonly amountMinor: bigint;
  /** How many of the pending, or of the settled transfers are of which business date. */
  readonly dates: readonly DatedCount[];
  readonly bytes: Uint8Array;
}

/** Transfers of one business date: days since 1970-01-01. */
export interface DatedCount {
  readonly date: number;
  readonly count: number;
}

const ACCOUNTS_TAG = 0x0a;
const ACCOUNT_ID_TAG = 0x0a;
const PENDING_MINOR_TAG = 0x18;
const AMOUNT_MINOR_TAG = 0x10;
const TRANSFERS_TAG = 0x22;
const SETTLED_TRANSFERS_TAG = 0x1a;
const PENDING_DATES_TAG = 0x2a;
const SETTLED_DATES_TAG = 0x22;
const DATE_TAG = 0x08;
const COUNT_TAG = 0x10;
const NO_DATES: readonly DatedCount[] = Object.freeze([]);

/** The accounts of an encoded TransfersRecorded. */
export function transfersRecordedIn(payload: Uint8Array): Generator<TransfersOfAccount> {
  return accountsIn(payload, PENDING_MINOR_TAG, TRANSFERS_TAG, PENDING_DATES_TAG);
}

/** The accounts of an encoded TransfersSettled. */
export function transfersSettledIn(payload: Uint8Array): Generator<TransfersOfAccount> {
  return accountsIn(payload, AMOUNT_MINOR_TAG, SETTLED_TRANSFERS_TAG, SETTLED_DATES_TAG);
}

/** All of an account's part. */
export function decodeAccountTransfers({ bytes }: TransfersOfAccount): AccountTransfers {
  return AccountTransfers.decode(bytes);
}

export function decodeAccountSettlements({ bytes }: TransfersOfAccount): AccountSettlements {
  return AccountSettlements.decode(bytes);
}

const REQUEST_ID_TAG = 0x0a;
const REJECTION_TAG = 0x10;
const TARGET_REASON_TAG = 0x1a;

/**
 * Writes an account's part of TransfersSettled: of each transfer the credit that its verdict is about, and why it was refused (0: it was not): by a target of
 * another capability for a reason of that capability, empty where there is none.
 *
 * @param dates how many of the transfers are of which business date; undefined: the branch has none.
 */
export function writeSettlements(
  writer: ByteWriter,
  accountId: string,
  amountMinor: bigint,
  credits: readonly PostingBatch[],
  indexes: readonly number[],
  rejections: readonly number[],
  targetReasons: readonly string[],
  dates: ReadonlyMap<number, number> | undefined,
): void {
  const account = writer.open(ACCOUNTS_TAG);
  writer.stringField(ACCOUNT_ID_TAG, accountId);
  writer.reserve(12);
  writer.byte(AMOUNT_MINOR_TAG);
  writer.varint64(Number(amountMinor & 0xffffffffn), Number(amountMinor >> 32n));
  if (dates !== undefined) for (const [date, count] of dates) writeDatedCount(writer, SETTLED_DATES_TAG, date, count);
  for (let item = 0; item < credits.length; item += 1) {
    const { bytes, fields } = credits[item] as PostingBatch;
    const base = (indexes[item] as number) * STRIDE;
    const at = fields[base + REQUEST_ID_AT] as number;
    const length = fields[base + REQUEST_ID_LENGTH] as number;
    const transfer = writer.open(SETTLED_TRANSFERS_TAG);
    writer.bytesField(REQUEST_ID_TAG, bytes, at, at + length);
    writer.numberField(REJECTION_TAG, rejections[item] as number);
    writer.stringField(TARGET_REASON_TAG, targetReasons[item] as string);
    writer.close(transfer);
  }
  writer.close(account);
}

/** Writes how many pending transfers of an account are of a business date. It stands before the transfers themselves. */
export function writePendingDate(writer: ByteWriter, date: number, count: number): void {
  writeDatedCount(writer, PENDING_DATES_TAG, date, count);
}

function writeDatedCount(writer: ByteWriter, tag: number, date: number, count: number): void {
  const dated = writer.open(tag);
  writer.sint64Field(DATE_TAG, BigInt(date));
  writer.numberField(COUNT_TAG, count);
  writer.close(dated);
}

function readDatedCount(bytes: Uint8Array): DatedCount {
  const reader = new ByteReader(bytes, 0, bytes.length);
  let date = 0;
  let count = 0;
  while (!reader.done) {
    const tag = reader.varint();
    if (tag === DATE_TAG) date = Number(reader.sint64());
    else if (tag === COUNT_TAG) count = reader.varint();
    else reader.skip(tag & 7);
  }
  return { date, count };
}

function* accountsIn(payload: Uint8Array, amountTag: number, transfersTag: number, datesTag: number): Generator<TransfersOfAccount> {
  const reader = new ByteReader(payload, 0, payload.length);
  while (!reader.done) {
    const tag = reader.varint();
    if (tag !== ACCOUNTS_TAG) {
      reader.skip(tag & 7);
      continue;
    }
    const bytes = reader.view();
    yield headOf(bytes, amountTag, transfersTag, datesTag);
  }
}

/** The transfers stand behind everything else: the head ends where they begin. */
function headOf(bytes: Uint8Array, amountTag: number, transfersTag: number, datesTag: number): TransfersOfAccount {
  const reader = new ByteReader(bytes, 0, bytes.length);
  let accountId = '';
  let amountMinor = 0n;
  let dates: DatedCount[] | undefined;
  while (!reader.done) {
    const tag = reader.varint();
    if (tag === transfersTag) break;
    if (tag === ACCOUNT_ID_TAG) accountId = reader.string();
    else if (tag === amountTag) amountMinor = reader.int64();
    else if (tag === datesTag) (dates ??= []).push(readDatedCount(reader.view()));
    else reader.skip(tag & 7);
  }
  return { accountId, amountMinor, dates: dates ?? NO_DATES, bytes };
}
