/**
 * Transfers as columns, and the postings that they are made of. A transfer order has the field numbers of a posting, so the order with a type
 * behind it is its own DEBIT: it is copied and scanned like any posting, and nothing is decoded for it. The CREDIT is made from the DEBIT's
 * bytes by turning its accounts around.
 *
 * Legs are made once, where the debit is decided: the target of another partition records the bytes that came with the delivery.
 */
import { ByteReader, MalformedMessageError } from '../wire/byte-reader';
import { ByteWriter } from '../wire/byte-writer';
import {
  ACCOUNT_ID_AT,
  ACCOUNT_ID_LENGTH,
  BODY,
  CAPABILITY_FLAG,
  END,
  EXPIRES_FLAG,
  FINAL_FLAG,
  FROM_ACCOUNT_FLAG,
  FUNDS_FLAG,
  HOLD_EXPIRED_FLAG,
  HOLD_ID_LENGTH_AND_FLAGS,
  INTEREST_FLAG,
  LegColumns,
  MAXIMUM_BATCH_POSTINGS,
  OUTCOME_NONE,
  type PostingBatch,
  REQUEST_ID_AT,
  REQUEST_ID_LENGTH,
  scanLegMessages,
  scanLegs,
  type ScanIssues,
  START,
  STRIDE,
  TYPE,
  UNIT_AT,
  UNIT_LENGTH,
} from './posting-batch';
import { Posting } from '../generated/sluice/account/v1/account';
import { PostingList } from '../generated/sluice/account/v1/events';
import { MAXIMUM_ID_BYTES } from '../request-limits';

const POSTING_TAG = 0x0a;
const BUSINESS_DATE_TAG = 0x18;
const REQUEST_ID_TAG = 0x0a;
const ACCOUNT_ID_TAG = 0x12;
const TYPE_TAG = 0x18;
const AMOUNT_TAG = 0x20;
const UNIT_TAG = 0x2a;
const HOLD_ID_TAG = 0x32;
const SIGNATURE_TAG = 0x62;
const SIGNED_AT_TAG = 0x68;
const TO_ACCOUNT_TAG = 0x72;
const FROM_ACCOUNT_TAG = 0x7a;
const TO_CAPABILITY_TAG = 0xa2;
const ORDER_TAG = 0xaa;
const MAXIMUM_CAPABILITY_BYTES = 32;
const MAXIMUM_ORDER_BYTES = 512;
const CREDIT = 1;
const DEBIT = 2;
const RELEASE = 5;
/** What stands behind an order in its debit: the type. */
const DEBIT_TAIL_BYTES = 2;
/** Tag and length of a posting. */
const FRAME_BYTES = 6;

/**
 * Scans an encoded TransferBatchRequest (also TransferRequest: the same field 1) as the debits of its transfers. Stops when there are more
 * than `maximum`: then the batch has one more than that. Throws MalformedMessageError for bytes that are no such message.
 */
export function scanTransfers(bytes: Uint8Array, issues: ScanIssues, maximum: number = MAXIMUM_BATCH_POSTINGS): PostingBatch {
  const writer = new ByteWriter(bytes.length + (bytes.length >> 4) + 64);
  const reader = new ByteReader(bytes, 0, bytes.length);
  let count = 0;
  while (!reader.done && count <= maximum) {
    const tag = reader.varint();
    if (tag !== POSTING_TAG) {
      if (tag < 8) throw new MalformedMessageError('a tag that names no field');
      reader.skip(tag & 7);
      continue;
    }
    const length = reader.length();
    writer.reserve(FRAME_BYTES + DEBIT_TAIL_BYTES);
    writer.byte(POSTING_TAG);
    writer.varint(length + DEBIT_TAIL_BYTES);
    writer.raw(bytes, reader.at, reader.at + length);
    writer.reserve(DEBIT_TAIL_BYTES);
    writer.byte(TYPE_TAG);
    writer.byte(DEBIT);
    reader.at += length;
    count += 1;
  }
  const batch = scanLegs(writer.bytes.subarray(0, writer.at), count, issues);
  for (let index = 0; index < batch.count; index += 1) if (batch.outcomes[index] === OUTCOME_NONE) checkOrder(batch, index, issues);
  return batch;
}

function checkOrder(batch: PostingBatch, index: number, issues: ScanIssues): void {
  const base = index * STRIDE;
  const { fields, bytes } = batch;
  const { otherAccountAt } = legsOf(batch);
  const holdIdAndFlags = fields[base + HOLD_ID_LENGTH_AND_FLAGS] as number;
  const at = otherAccountAt[index * 2] as number;
  const length = otherAccountAt[index * 2 + 1] as number;
  if ((holdIdAndFlags & (0xff | FINAL_FLAG | FROM_ACCOUNT_FLAG | EXPIRES_FLAG | HOLD_EXPIRED_FLAG | FUNDS_FLAG | INTEREST_FLAG)) !== 0) {
    issues.invalid(batch, index, 'the transfer has a field that only postings have');
  } else if (length === 0 || length > MAXIMUM_ID_BYTES) {
    issues.invalid(batch, index, `to_account_id has ${length} bytes; it must have 1 to ${MAXIMUM_ID_BYTES}`);
  } else if ((holdIdAndFlags & CAPABILITY_FLAG) !== 0) {
    checkOrderOfCapability(batch, index, issues);
  } else if (length === fields[base + ACCOUNT_ID_LENGTH] && sameBytes(bytes, at, fields[base + ACCOUNT_ID_AT] as number, length)) {
    issues.invalid(batch, index, 'to_account_id is the account that is debited; a transfer is between two accounts');
  }
}

function checkOrderOfCapability(batch: PostingBatch, index: number, issues: ScanIssues): void {
  const { toCapability, order } = Posting.decode(batch.body(index));
  const capabilityBytes = Buffer.byteLength(toCapability);
  if (capabilityBytes === 0 || capabilityBytes > MAXIMUM_CAPABILITY_BYTES) {
    issues.invalid(batch, index, `to_capability has ${capabilityBytes} bytes; it must have 1 to ${MAXIMUM_CAPABILITY_BYTES} where order is set`);
  } else if (order.length > MAXIMUM_ORDER_BYTES) issues.invalid(batch, index, `order has ${order.length} bytes; at most ${MAXIMUM_ORDER_BYTES} are allowed`);
}

/** Whether the transfer goes to an aggregate of another capability, and not to an account. */
export function isToCapability({ fields }: PostingBatch, index: number): boolean {
  return ((fields[index * STRIDE + HOLD_ID_LENGTH_AND_FLAGS] as number) & CAPABILITY_FLAG) !== 0;
}

/** The capability of that aggregate. */
export function capabilityOfTarget(batch: PostingBatch, index: number): string {
  return Posting.decode(batch.body(index)).toCapability;
}

/** The orders as they came, as a TransferBatchRequest of their own. */
export function encodeOrders(batch: PostingBatch, indexes: readonly number[]): Buffer {
  let size = 0;
  for (const index of indexes) size += (batch.fields[index * STRIDE + END] as number) - (batch.fields[index * STRIDE + START] as number);
  const writer = new ByteWriter(size + 8);
  for (const index of indexes) {
    const body = batch.fields[index * STRIDE + BODY] as number;
    const end = (batch.fields[index * STRIDE + END] as number) - DEBIT_TAIL_BYTES;
    writer.bytesField(POSTING_TAG, batch.bytes, body, end);
  }
  return writer.copy();
}

/** The credits of debits that were scanned, in the order of the indexes. */
export function creditsOf(debits: PostingBatch, indexes: readonly number[]): PostingBatch {
  return turnedAround(debits, indexes) ?? writtenAnew(debits, indexes);
}

/**
 * Where the debits are whole batches of plain orders, the way most are: a credit has the length of its debit and the same fields at the same places, so
 * the bytes are copied and the tags of both accounts and the type are exchanged in them. Undefined: an order has other fields.
 */
function turnedAround(debits: PostingBatch, indexes: readonly number[]): PostingBatch | undefined {
  if (indexes.length !== debits.count) return undefined;
  for (let index = 0; index < debits.count; index += 1) if (!isPlain(debits, index)) return undefined;
  const bytes = Buffer.from(debits.bytes);
  const credits = debits.copyOver(bytes);
  const legs = new LegColumns(debits.count);
  credits.legs = legs;
  const { fields } = credits;
  const { otherAccountAt } = legsOf(debits);
  for (let index = 0; index < debits.count; index += 1) {
    const base = index * STRIDE;
    const fromAt = fields[base + ACCOUNT_ID_AT] as number;
    const toAt = otherAccountAt[index * 2] as number;
    const toLength = otherAccountAt[index * 2 + 1] as number;
    bytes[tagOf(fromAt, fields[base + ACCOUNT_ID_LENGTH] as number)] = FROM_ACCOUNT_TAG;
    bytes[tagOf(toAt, toLength)] = ACCOUNT_ID_TAG;
    bytes[(fields[base + END] as number) - 1] = CREDIT;
    legs.otherAccountAt[index * 2] = fromAt;
    legs.otherAccountAt[index * 2 + 1] = fields[base + ACCOUNT_ID_LENGTH] as number;
    fields[base + ACCOUNT_ID_AT] = toAt;
    fields[base + ACCOUNT_ID_LENGTH] = toLength;
    fields[base + TYPE] = CREDIT;
    fields[base + HOLD_ID_LENGTH_AND_FLAGS] = FROM_ACCOUNT_FLAG;
  }
  return credits;
}

/** Whether the fields that every order has fill the debit: then each is there once, and nothing else is. */
function isPlain(debits: PostingBatch, index: number): boolean {
  const base = index * STRIDE;
  const { fields, amountHalves } = debits;
  const texts =
    textBytes(fields[base + REQUEST_ID_LENGTH] as number) +
    textBytes(fields[base + ACCOUNT_ID_LENGTH] as number) +
    textBytes(fields[base + UNIT_LENGTH] as number) +
    textBytes(legsOf(debits).otherAccountAt[index * 2 + 1] as number);
  const amountBytes = 1 + varintBytes(amountHalves[index * 2] as number, amountHalves[index * 2 + 1] as number);
  return texts + amountBytes + DEBIT_TAIL_BYTES === (fields[base + END] as number) - (fields[base + BODY] as number);
}

/** Tag, length and text. */
function textBytes(length: number): number {
  return length + (length < 0x80 ? 2 : 3);
}

function tagOf(at: number, length: number): number {
  return at - (length < 0x80 ? 2 : 3);
}

function varintBytes(low: number, high: number): number {
  if (high === 0) {
    let bytes = 1;
    for (let rest = low >>> 7; rest !== 0; rest >>>= 7) bytes += 1;
    return bytes;
  }
  const bits = 64 - Math.clz32(high);
  return Math.ceil(bits / 7);
}

function writtenAnew(debits: PostingBatch, indexes: readonly number[]): PostingBatch {
  const writer = new ByteWriter(debits.bytes.length + 64);
  let count = 0;
  for (const index of indexes) {
    writeCredit(writer, debits.bytes, debits.fields[index * STRIDE + BODY] as number, debits.fields[index * STRIDE + END] as number);
    count += 1;
  }
  return scanLegs(writer.bytes.subarray(0, writer.at), count);
}

/** Everything but type and signature is copied; from and to change their places. Fields that this version does not know are left out. */
function writeCredit(writer: ByteWriter, bytes: Uint8Array, body: number, end: number): void {
  const reader = new ByteReader(bytes, body, end);
  const frame = writer.open(POSTING_TAG);
  while (!reader.done) {
    const from = reader.at;
    const tag = reader.varint();
    reader.skip(tag & 7);
    switch (tag) {
      case ACCOUNT_ID_TAG:
        writer.reserve(1);
        writer.byte(FROM_ACCOUNT_TAG);
        writer.raw(bytes, from + 1, reader.at);
        break;
      case TO_ACCOUNT_TAG:
        writer.reserve(1);
        writer.byte(ACCOUNT_ID_TAG);
        writer.raw(bytes, from + 1, reader.at);
        break;
      case TYPE_TAG:
      case SIGNATURE_TAG:
      case SIGNED_AT_TAG:
        break;
      default:
        // The fields of an order: those with tags of one byte, and to_capability and order, whose tags have two.
        if (tag < 0x80 || tag === TO_CAPABILITY_TAG || tag === ORDER_TAG) writer.raw(bytes, from, reader.at);
    }
  }
  writer.reserve(2);
  writer.byte(TYPE_TAG);
  writer.byte(CREDIT);
  writer.close(frame);
}

/**
 * The encoded TransferLeg of the credit: what its delivery carries. Without a business date it is a view of the batch's bytes.
 *
 * @param businessDate at which the debit was booked, days since 1970-01-01; undefined: its branch has no dates.
 */
export function transferLeg(credits: PostingBatch, index: number, businessDate?: number): Uint8Array {
  const leg = credits.bytes.subarray(credits.fields[index * STRIDE + START], credits.fields[index * STRIDE + END]);
  if (businessDate === undefined) return leg;
  const writer = new ByteWriter(leg.length + 8);
  writer.raw(leg, 0, leg.length);
  writer.reserve(8);
  writer.byte(BUSINESS_DATE_TAG);
  writer.zigzag64(businessDate, businessDate < 0 ? -1 : 0);
  return writer.copy();
}

/** The business date of an encoded TransferLeg; undefined: it has none. */
export function businessDateOfLeg(leg: Uint8Array): number | undefined {
  const reader = new ByteReader(leg, 0, leg.length);
  let date: number | undefined;
  while (!reader.done) {
    const tag = reader.varint();
    if (tag === BUSINESS_DATE_TAG) date = Number(reader.sint64());
    else reader.skip(tag & 7);
  }
  return date;
}

/** Scans TransferLeg messages as one batch. Throws MalformedMessageError if one of them is none. */
export function scanTransferLegs(messages: readonly Uint8Array[]): PostingBatch {
  const batch = scanLegMessages(messages);
  if (batch.count === messages.length && everyCredit(batch)) return batch;
  batch.release();
  throw new MalformedMessageError('a leg of a transfer is not the credit of one posting');
}

function everyCredit(batch: PostingBatch): boolean {
  for (let index = 0; index < batch.count; index += 1) {
    if (((batch.fields[index * STRIDE + HOLD_ID_LENGTH_AND_FLAGS] as number) & FROM_ACCOUNT_FLAG) === 0) return false;
  }
  return true;
}

/** The credits that give refused transfers back, in the order of the indexes: made from the credits that were refused. */
export function refundsOf(credits: PostingBatch, indexes: readonly number[]): PostingBatch {
  const writer = new ByteWriter(credits.bytes.length + 64);
  for (const index of indexes) {
    const base = index * STRIDE;
    const { fields, bytes, amountHalves } = credits;
    const { otherAccountAt } = legsOf(credits);
    const frame = writer.open(POSTING_TAG);
    textField(writer, REQUEST_ID_TAG, bytes, fields[base + REQUEST_ID_AT] as number, fields[base + REQUEST_ID_LENGTH] as number);
    textField(writer, ACCOUNT_ID_TAG, bytes, otherAccountAt[index * 2] as number, otherAccountAt[index * 2 + 1] as number);
    writer.reserve(16);
    writer.byte(TYPE_TAG);
    writer.byte(CREDIT);
    writer.byte(AMOUNT_TAG);
    writer.varint64(amountHalves[index * 2] as number, amountHalves[index * 2 + 1] as number);
    textField(writer, UNIT_TAG, bytes, fields[base + UNIT_AT] as number, fields[base + UNIT_LENGTH] as number);
    textField(writer, TO_ACCOUNT_TAG, bytes, fields[base + ACCOUNT_ID_AT] as number, fields[base + ACCOUNT_ID_LENGTH] as number);
    writer.close(frame);
  }
  return scanLegs(writer.bytes.subarray(0, writer.at), indexes.length);
}

export interface ExpiredHold {
  readonly accountId: string;
  readonly holdId: string;
  readonly releasedMinor: bigint;
  readonly unit: string;
}

/** The RELEASE of what was left of a hold, as a batch of one. */
export function releaseOfExpired({ accountId, holdId, releasedMinor, unit }: ExpiredHold): PostingBatch {
  const writer = new ByteWriter(512);
  const frame = writer.open(POSTING_TAG);
  writer.stringField(REQUEST_ID_TAG, holdId);
  writer.stringField(ACCOUNT_ID_TAG, accountId);
  writer.reserve(16);
  writer.byte(TYPE_TAG);
  writer.byte(RELEASE);
  writer.byte(AMOUNT_TAG);
  writer.varint64(Number(BigInt.asIntN(32, releasedMinor)), Number(releasedMinor >> 32n));
  writer.stringField(UNIT_TAG, unit);
  writer.stringField(HOLD_ID_TAG, holdId);
  // hold_expired, field 18.
  writer.reserve(3);
  writer.byte(0x90);
  writer.byte(0x01);
  writer.byte(1);
  writer.close(frame);
  return scanLegs(writer.bytes.subarray(0, writer.at), 1);
}

/** Throws for a batch of ordinary postings. */
export function legsOf(batch: PostingBatch): LegColumns {
  if (batch.legs === undefined) throw new Error('the batch has no legs of transfers');
  return batch.legs;
}

/** Id of the account on the other side. */
export function otherAccountId(batch: PostingBatch, index: number): string {
  const { otherAccountAt } = legsOf(batch);
  return batch.text(otherAccountAt[index * 2] as number, otherAccountAt[index * 2 + 1] as number);
}

function textField(writer: ByteWriter, tag: number, bytes: Uint8Array, at: number, length: number): void {
  writer.bytesField(tag, bytes, at, at + length);
}

function sameBytes(bytes: Uint8Array, left: number, right: number, length: number): boolean {
  for (let index = 0; index < length; index += 1) if (bytes[left + index] !== bytes[right + index]) return false;
  return true;
}

/** A posting that the engine makes, as a batch of one. */
export function engineMadePosting(posting: Posting): PostingBatch {
  return engineMadePostings([posting]);
}

/** Postings that the engine makes, as one batch. */
export function engineMadePostings(postings: Posting[]): PostingBatch {
  return scanLegs(PostingList.encode({ postings }).finish(), postings.length);
}
