/**
 * A batch of postings as columns over the bytes in which it came: the hand-made decoder of the hot path. Only what the
 * decision needs is read; everything else stays where it is and is copied into the commit as bytes. The generated codec is
 * its oracle (property test): what the scan finds nothing wrong with, every decoder reads in the same way. Bytes that decoders may take
 * differently (field number 0, a known field's tag written longer than it is) are refused, because one decoder decides and another
 * one checks the signature.
 *
 * Batches are pooled: `release` gives one back; nobody may hold on to it after that.
 */
import { isUtf8 } from 'node:buffer';
import { type HoldEnd, MAXIMUM_HOLD_DURATION_MS } from '@sluice/domain/account';
import { type CalendarDate, dateFromText } from '@sluice/domain/day';
import { Posting } from '../generated/sluice/account/v1/account';
import { MAXIMUM_BATCH_ITEMS, MAXIMUM_ID_BYTES, MAXIMUM_UNIT_BYTES } from '../request-limits';
import { MalformedMessageError } from '../wire/byte-reader';

export const MAXIMUM_CHANNEL_BYTES = 64;
export const MAXIMUM_METADATA_PAIRS = 16;
export const MAXIMUM_METADATA_BYTES = 1024;
export const MAXIMUM_POSTING_BYTES = 4096;
export const MAXIMUM_BATCH_POSTINGS = MAXIMUM_BATCH_ITEMS;

const METADATA_KEY_TAG = 0x0a;
const METADATA_VALUE_TAG = 0x12;
const MAXIMUM_TAG = 0xffff_ffff;
const MAXIMUM_TAG_BYTES = 5;
const MAXIMUM_LENGTH_BYTES = 5;

/** Columns of `fields`: STRIDE numbers per posting. */
export const STRIDE = 12;
/** Where the posting starts, tag and length included. */
export const START = 0;
/** Where its body starts. */
export const BODY = 1;
export const END = 2;
export const REQUEST_ID_AT = 3;
export const REQUEST_ID_LENGTH = 4;
export const ACCOUNT_ID_AT = 5;
export const ACCOUNT_ID_LENGTH = 6;
export const TYPE = 7;
export const UNIT_AT = 8;
export const UNIT_LENGTH = 9;
export const HOLD_ID_AT = 10;
/** Length of the hold id (low 8 bits), flags above. */
export const HOLD_ID_LENGTH_AND_FLAGS = 11;
export const FINAL_FLAG = 0x100;
export const SIGNED_FLAG = 0x200;
/** It names the account that a transfer goes to, or comes from. */
export const TO_ACCOUNT_FLAG = 0x400;
export const FROM_ACCOUNT_FLAG = 0x800;
/** It says when its hold expires. */
export const EXPIRES_FLAG = 0x1000;
export const HOLD_EXPIRED_FLAG = 0x2000;
/** It takes funds for another capability, or gives them back. */
export const FUNDS_FLAG = 0x4000;
/** The transfer goes to an aggregate of another capability. */
export const CAPABILITY_FLAG = 0x8000;
/** A batch booked it as interest. */
export const INTEREST_FLAG = 0x10000;
/** It says at which business date it was initiated. */
export const INITIATED_DATE_FLAG = 0x20000;
/** What no caller may say of a posting: it is a leg of a transfer, the end of a hold, of funds of another capability, or interest. */
const ENGINE_FLAGS = TO_ACCOUNT_FLAG | FROM_ACCOUNT_FLAG | HOLD_EXPIRED_FLAG | FUNDS_FLAG | CAPABILITY_FLAG | INTEREST_FLAG;

/**
 * Whether the engine made the posting by itself: the credit of a transfer, its refund, the release of a hold that expired, what another capability
 * takes and gives back, or interest. Its request id is that of the transfer, of the hold, of the capability or of the batch, so it is none of its own account.
 */
export function isEngineMade(flags: number, type: number): boolean {
  return (flags & ENGINE_FLAGS) !== 0 && ((flags & TO_ACCOUNT_FLAG) === 0 || type !== DEBIT_TYPE);
}

const DEBIT_TYPE = 2;
const HOLD_TYPE = 3;

/** Outcomes of a posting: 0 while it has none, a `Rejection` of the proto below 64, others from 64 on. */
export const OUTCOME_NONE = 0;
export const OUTCOME_ACCEPTED = 63;

export class PostingBatch {
  /** The message; postings are ranges of it. */
  bytes: Uint8Array = EMPTY;
  count = 0;
  atomic = false;
  /** One of the postings says when its hold expires. */
  someExpire = false;
  fields: Int32Array;
  /** Amounts in minor units. */
  amounts: BigInt64Array;
  /** The same as halves: low, high. */
  amountHalves: Int32Array;
  /** Routing, filled by whoever routes: hash of the account id, partition, hash of the request id (two numbers each). */
  accountHashes: Int32Array;
  partitions: Int32Array;
  requestHashes: Int32Array;
  /** Verdicts, filled by whoever decides. */
  outcomes: Uint8Array;
  repeated: Uint8Array;
  balancesAfter: BigInt64Array;
  balancesAfterHalves: Int32Array;
  heldAfter: BigInt64Array;
  heldAfterHalves: Int32Array;
  entryNumbers: Float64Array;
  /** Shape errors and other messages of single postings. */
  readonly messages = new Map<number, string>();
  /** Only of legs of transfers: what is known of the other accounts. */
  legs: LegColumns | undefined;

  /** @param capacity postings for which there is room; it grows. */
  constructor(public capacity: number) {
    this.fields = new Int32Array(0);
    this.amounts = new BigInt64Array(0);
    this.amountHalves = new Int32Array(0);
    this.accountHashes = new Int32Array(0);
    this.partitions = new Int32Array(0);
    this.requestHashes = new Int32Array(0);
    this.outcomes = new Uint8Array(0);
    this.repeated = new Uint8Array(0);
    this.balancesAfter = new BigInt64Array(0);
    this.balancesAfterHalves = new Int32Array(0);
    this.heldAfter = new BigInt64Array(0);
    this.heldAfterHalves = new Int32Array(0);
    this.entryNumbers = new Float64Array(0);
    this.allocate(capacity);
  }

  private allocate(capacity: number): void {
    const { fields, amounts, outcomes } = this;
    this.capacity = capacity;
    this.fields = new Int32Array(capacity * STRIDE);
    this.fields.set(fields);
    this.amounts = new BigInt64Array(capacity);
    this.amounts.set(amounts);
    this.amountHalves = new Int32Array(this.amounts.buffer);
    this.accountHashes = new Int32Array(capacity);
    this.partitions = new Int32Array(capacity);
    this.requestHashes = new Int32Array(capacity * 2);
    // What the scan found wrong with the postings so far stands here already.
    this.outcomes = new Uint8Array(capacity);
    this.outcomes.set(outcomes);
    this.repeated = new Uint8Array(capacity);
    this.balancesAfter = new BigInt64Array(capacity);
    this.balancesAfterHalves = new Int32Array(this.balancesAfter.buffer);
    this.heldAfter = new BigInt64Array(capacity);
    this.heldAfterHalves = new Int32Array(this.heldAfter.buffer);
    this.entryNumbers = new Float64Array(capacity);
  }

  /** Room for one more; only while scanning, when the other verdict columns are still empty. */
  private grow(): void {
    this.allocate(this.capacity * 2);
  }

  add(): number {
    if (this.count === this.capacity) this.grow();
    const index = this.count;
    this.count += 1;
    return index;
  }

  /** Takes the postings from the index on out again; only while scanning. */
  dropFrom(index: number): void {
    for (let dropped = index; dropped < this.count; dropped += 1) {
      this.outcomes[dropped] = OUTCOME_NONE;
      this.messages.delete(dropped);
    }
    this.count = index;
  }

  text(offset: number, length: number): string {
    const { bytes } = this;
    return Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString('utf8');
  }

  requestId(index: number): string {
    const base = index * STRIDE;
    return this.text(this.fields[base + REQUEST_ID_AT] as number, this.fields[base + REQUEST_ID_LENGTH] as number);
  }

  accountId(index: number): string {
    const base = index * STRIDE;
    return this.text(this.fields[base + ACCOUNT_ID_AT] as number, this.fields[base + ACCOUNT_ID_LENGTH] as number);
  }

  holdId(index: number): string {
    const base = index * STRIDE;
    return this.text(this.fields[base + HOLD_ID_AT] as number, (this.fields[base + HOLD_ID_LENGTH_AND_FLAGS] as number) & 0xff);
  }

  /** The encoded Posting message. */
  body(index: number): Uint8Array {
    const base = index * STRIDE;
    return this.bytes.subarray(this.fields[base + BODY], this.fields[base + END]);
  }

  release(): void {
    const columns = COLUMN_CLASSES.findLast(({ capacity }) => capacity <= this.capacity);
    if (columns === undefined || this.capacity > LARGEST_KEPT || columns.pool.length >= columns.kept) return;
    this.bytes = EMPTY;
    this.legs = undefined;
    if (this.messages.size > 0) this.messages.clear();
    columns.pool.push(this);
  }

  /** A batch over other bytes, with room for as many postings as this one has, and its fields and amounts. */
  copyOver(bytes: Uint8Array): PostingBatch {
    const { count } = this;
    const copy = PostingBatch.over(bytes, count);
    if (copy.capacity < count) copy.allocate(count);
    copy.count = count;
    copy.someExpire = this.someExpire;
    copy.fields.set(this.fields.subarray(0, count * STRIDE));
    copy.amounts.set(this.amounts.subarray(0, count));
    return copy;
  }

  /** An empty batch over the message, with columns for about as many postings as it may hold. */
  static over(bytes: Uint8Array, expectedPostings: number = Math.ceil(bytes.length / TYPICAL_POSTING_BYTES)): PostingBatch {
    const { pool, capacity } = COLUMN_CLASSES.find((columns) => columns.capacity >= expectedPostings) ?? LARGEST_COLUMNS;
    const batch = pool.pop() ?? new PostingBatch(capacity);
    batch.outcomes.fill(0, 0, batch.count);
    batch.repeated.fill(0, 0, batch.count);
    batch.bytes = bytes;
    batch.count = 0;
    batch.atomic = false;
    batch.someExpire = false;
    batch.legs = undefined;
    return batch;
  }
}

/** Of each leg of a transfer: the account on its other side. */
export class LegColumns {
  /** Where its id stands, and its length: two numbers each. */
  otherAccountAt: Int32Array<ArrayBuffer>;
  /** Hash of its id, and its partition: filled by whoever routes. */
  otherAccountHashes: Int32Array<ArrayBuffer>;
  otherPartitions: Int32Array<ArrayBuffer>;
  /** Business dates at which the debits were booked, days since 1970-01-01; undefined of one: its branch has no dates. Undefined: none has. */
  businessDates: (number | undefined)[] | undefined;
  /** Which of them pay or give back funds that another capability took; their bytes do not say so. Undefined: none. */
  funds: boolean[] | undefined;

  constructor(count: number) {
    this.otherAccountAt = new Int32Array(count * 2);
    this.otherAccountHashes = new Int32Array(count);
    this.otherPartitions = new Int32Array(count);
  }
}

/** About the smallest posting with ids as callers make them; a batch that has more than expected grows. */
const TYPICAL_POSTING_BYTES = 64;
/** Columns take some 100 bytes per posting: a single posting must not hold those of a large batch. Released batches are kept for reuse, by size. */
const LARGEST_COLUMNS: ColumnClass = { capacity: 1_024, kept: 64, pool: [] };
const COLUMN_CLASSES: readonly ColumnClass[] = [{ capacity: 8, kept: 1_024, pool: [] }, { capacity: 256, kept: 64, pool: [] }, LARGEST_COLUMNS];
/** Larger columns are not kept. */
const LARGEST_KEPT = 16_384;

interface ColumnClass {
  readonly capacity: number;
  /** Released batches that are kept at most. */
  readonly kept: number;
  readonly pool: PostingBatch[];
}

const EMPTY = new Uint8Array(0);

/** What the scan found wrong with one posting: the field, for INVALID_REQUEST; or the type. */
export interface ScanIssues {
  invalid(batch: PostingBatch, index: number, message: string): void;
  unknownType(batch: PostingBatch, index: number): void;
}

const NO_ISSUES: ScanIssues = { invalid: () => undefined, unknownType: () => undefined };

/**
 * Scans an encoded PostingList of legs of transfers, with room for exactly so many: they were made by the engine, or are requests of transfers
 * in the form of postings. Whatever is wrong with their other accounts is for `checkLeg` to find.
 */
export function scanLegs(bytes: Uint8Array, count: number, issues: ScanIssues = NO_ISSUES): PostingBatch {
  const batch = PostingBatch.over(bytes, count);
  batch.legs = new LegColumns(count);
  try {
    scanMessage(batch, 0, bytes.length, issues, count);
  } catch (error) {
    batch.release();
    throw error;
  }
  return batch;
}

/** Scans an encoded PostingList of the log: whatever its length, it was accepted once. */
export function scanRecordedPostings(bytes: Uint8Array): PostingBatch {
  return scanPostings(bytes, NO_ISSUES, Number.POSITIVE_INFINITY);
}

/**
 * Scans messages that hold one leg each (TransferLeg). Those of one delivery batch lie in the same memory, so that nothing is copied.
 * Throws MalformedMessageError.
 */
export function scanLegMessages(messages: readonly Uint8Array[]): PostingBatch {
  const [first] = messages;
  if (first === undefined) return scanLegs(EMPTY, 0);
  if (messages.some(({ buffer }) => buffer !== first.buffer)) return scanLegs(Buffer.concat(messages), messages.length);
  const batch = PostingBatch.over(new Uint8Array(first.buffer), messages.length);
  batch.legs = new LegColumns(messages.length);
  try {
    for (const { byteOffset, length } of messages) scanMessage(batch, byteOffset, byteOffset + length, NO_ISSUES, messages.length);
  } catch (error) {
    batch.release();
    throw error;
  }
  return batch;
}

/**
 * Scans an encoded PostBatchRequest (also PostingList, PostRequest, PostStreamRequest: the same field 1). Stops reading when there are
 * more postings than `maximum`: then the batch has one more than that. A posting that is not well formed is an issue of that posting. Throws
 * MalformedMessageError where the bytes do not say where a posting ends, or hold something else that is no message.
 */
export function scanPostings(bytes: Uint8Array, issues: ScanIssues, maximum: number = MAXIMUM_BATCH_POSTINGS): PostingBatch {
  const batch = PostingBatch.over(bytes);
  try {
    scanMessage(batch, 0, bytes.length, issues, maximum);
  } catch (error) {
    batch.release();
    throw error;
  }
  return batch;
}

export interface ScannedMessages {
  /** The postings of the messages, one each, in order. */
  readonly batch: PostingBatch;
  /** Why the message behind those in the batch is not one that holds one posting; undefined: all messages are in the batch. */
  readonly malformed: string | undefined;
}

/** Scans messages that hold one posting each (PostStreamRequest) as one batch, up to the first that does not. */
export function scanPostingMessages(messages: readonly Uint8Array[], issues: ScanIssues): ScannedMessages {
  const batch = PostingBatch.over(Buffer.concat(messages), messages.length);
  let malformed: string | undefined;
  let at = 0;
  for (const [index, message] of messages.entries()) {
    malformed = scanSingle(batch, at, at + message.length, issues);
    if (malformed !== undefined) {
      batch.dropFrom(index);
      break;
    }
    at += message.length;
  }
  // In this message it is a field without a meaning.
  batch.atomic = false;
  return { batch, malformed };
}

/** Scans the message that holds one posting; says what is wrong with the message. */
function scanSingle(batch: PostingBatch, at: number, end: number, issues: ScanIssues): string | undefined {
  const before = batch.count;
  try {
    scanMessage(batch, at, end, issues, before + 1);
  } catch (error) {
    if (error instanceof MalformedMessageError) return error.message;
    throw error;
  }
  return batch.count === before + 1 ? undefined : batch.count === before ? 'the posting is missing' : 'there is more than one posting';
}

/** Adds the postings of the message from `at` to `end`, and stops when the batch has more than `maximum`. */
function scanMessage(batch: PostingBatch, from: number, end: number, issues: ScanIssues, maximum: number): void {
  const { bytes } = batch;
  let at = from;
  while (at < end) {
    const tag = bytes[at] as number;
    if (tag === 0x0a) {
      const start = at;
      at += 1;
      let length = bytes[at++] as number;
      if (length >= 0x80) {
        length &= 0x7f;
        let shift = 7;
        let byte = 0x80;
        while (byte >= 0x80 && shift < 35 && at < end) {
          byte = bytes[at++] as number;
          length += (byte & 0x7f) * 2 ** shift;
          shift += 7;
        }
        if (byte >= 0x80) throw new MalformedMessageError('a length of more than five bytes');
      }
      if (at > end || at + length > end || Number.isNaN(length)) throw new MalformedMessageError('a posting reaches beyond its message');
      if (batch.count > maximum) return;
      scanPosting(batch, start, at, at + length, issues);
      at += length;
    } else if (tag === 0x10) {
      batch.atomic = isNonZero(bytes, at + 1, end);
      at = skipVarint(bytes, at + 1, end);
    } else {
      at = skipField(bytes, at, end);
    }
  }
}

function scanPosting(batch: PostingBatch, start: number, body: number, end: number, issues: ScanIssues): void {
  const index = batch.add();
  const { bytes, fields } = batch;
  const base = index * STRIDE;
  fields[base + START] = start;
  fields[base + BODY] = body;
  fields[base + END] = end;
  let requestIdLength = 0;
  let accountIdLength = 0;
  let unitLength = 0;
  let holdIdLength = 0;
  let type = 0;
  let flags = 0;
  let pairs = 0;
  let pairBytes = 0;
  let problem: string | undefined;
  let amountLow = 0;
  let amountHigh = 0;
  let at = body;
  try {
    while (at < end) {
      const tag = bytes[at] as number;
      // Tags of the known fields are one byte each.
      if ((tag & 7) === 2 && tag < 0x80) {
        at += 1;
        let length = bytes[at++] as number;
        if (length >= 0x80) {
          const lengthAt = at - 1;
          at = skipVarint(bytes, lengthAt, end);
          length = longLength(bytes, lengthAt, at);
        }
        if (at + length > end) throw new MalformedMessageError('a field reaches beyond its posting');
        let text = false;
        switch (tag) {
          case 0x0a:
            fields[base + REQUEST_ID_AT] = at;
            requestIdLength = length;
            text = true;
            break;
          case 0x12:
            fields[base + ACCOUNT_ID_AT] = at;
            accountIdLength = length;
            text = true;
            break;
          case 0x2a:
            fields[base + UNIT_AT] = at;
            unitLength = length;
            text = true;
            break;
          case 0x32:
            fields[base + HOLD_ID_AT] = at;
            holdIdLength = length;
            text = true;
            break;
          case 0x42:
            text = true;
            if (length > MAXIMUM_ID_BYTES) problem ??= `counterparty has ${length} bytes; at most ${MAXIMUM_ID_BYTES} are allowed`;
            break;
          case 0x4a:
            text = true;
            if (length > MAXIMUM_CHANNEL_BYTES) problem ??= `channel has ${length} bytes; at most ${MAXIMUM_CHANNEL_BYTES} are allowed`;
            break;
          case 0x52:
            if (length !== 0) {
              flags |= INITIATED_DATE_FLAG;
              if (!isDate(bytes, at, length)) problem ??= 'initiated_date is not a date of the form YYYY-MM-DD';
            }
            break;
          case 0x5a:
            pairs += 1;
            pairBytes += length;
            if (!isMetadataText(bytes, at, at + length)) problem ??= 'metadata is not valid UTF-8';
            break;
          case 0x62:
            if (length > 0) flags |= SIGNED_FLAG;
            break;
          case 0x72:
          case 0x7a:
            text = true;
            if (length > 0) flags |= tag === 0x72 ? TO_ACCOUNT_FLAG : FROM_ACCOUNT_FLAG;
            if (batch.legs !== undefined) {
              batch.legs.otherAccountAt[index * 2] = at;
              batch.legs.otherAccountAt[index * 2 + 1] = length;
            }
            break;
          case 0x02:
            throw new MalformedMessageError('a tag that names no field');
        }
        if (text && !isText(bytes, at, length)) problem ??= `field ${tag >> 3} is not valid UTF-8`;
        at += length;
      } else if (tag === 0x18) {
        at += 1;
        type = bytes[at] as number;
        // No type that is known needs a second byte.
        if (type >= 0x80) type = 0;
        at = skipVarint(bytes, at, end);
      } else if (tag === 0x20) {
        at += 1;
        amountLow = 0;
        amountHigh = 0;
        let shift = 0;
        let byte = 0x80;
        while (byte >= 0x80) {
          if (at >= end || shift >= 70) throw new MalformedMessageError('a varint that does not end');
          byte = bytes[at++] as number;
          const bits = byte & 0x7f;
          if (shift < 28) amountLow |= bits << shift;
          else if (shift === 28) {
            amountLow |= bits << 28;
            amountHigh = bits >>> 4;
          } else amountHigh |= bits << (shift - 32);
          shift += 7;
        }
      } else if (tag === 0x38) {
        if (isNonZero(bytes, at + 1, end)) flags |= FINAL_FLAG;
        else flags &= ~FINAL_FLAG;
        at = skipVarint(bytes, at + 1, end);
      } else {
        // Fields 16 to 22: expires_at_us, expires_after_ms, hold_expired, funds, to_capability, order, interest.
        if (bytes[at + 1] === 0x01) {
          if ((tag === 0x80 || tag === 0x88) && isNonZero(bytes, at + 2, end)) {
            flags |= EXPIRES_FLAG;
            batch.someExpire = true;
          } else if ((tag === 0x90 || tag === 0x98) && isNonZero(bytes, at + 2, end)) flags |= tag === 0x90 ? HOLD_EXPIRED_FLAG : FUNDS_FLAG;
          else if (tag === 0xb0 && isNonZero(bytes, at + 2, end)) flags |= INTEREST_FLAG;
          else if ((tag === 0xa2 || tag === 0xaa) && bytes[at + 2] !== 0) flags |= CAPABILITY_FLAG;
        }
        at = skipField(bytes, at, end);
      }
    }
    if (at !== end) throw new MalformedMessageError('a field reaches beyond its posting');
  } catch (error) {
    // What the log holds was whole once. What a caller sends is refused alone: where the posting ends is known.
    if (issues === NO_ISSUES || !(error instanceof MalformedMessageError)) throw error;
    problem = `the posting is not well formed: ${error.message}`;
  }
  // An answer repeats the ids: not those that are longer than a posting may be.
  fields[base + REQUEST_ID_LENGTH] = requestIdLength > MAXIMUM_POSTING_BYTES ? 0 : requestIdLength;
  fields[base + ACCOUNT_ID_LENGTH] = accountIdLength > MAXIMUM_POSTING_BYTES ? 0 : accountIdLength;
  fields[base + TYPE] = type;
  fields[base + UNIT_LENGTH] = unitLength;
  fields[base + HOLD_ID_LENGTH_AND_FLAGS] = (holdIdLength & 0xff) | flags;
  batch.amountHalves[index * 2] = amountLow;
  batch.amountHalves[index * 2 + 1] = amountHigh;
  if (requestIdLength === 0 || requestIdLength > MAXIMUM_ID_BYTES) problem ??= `request_id has ${requestIdLength} bytes; it must have 1 to ${MAXIMUM_ID_BYTES}`;
  else if (accountIdLength === 0 || accountIdLength > MAXIMUM_ID_BYTES)
    problem ??= `account_id has ${accountIdLength} bytes; it must have 1 to ${MAXIMUM_ID_BYTES}`;
  else if (unitLength === 0 || unitLength > MAXIMUM_UNIT_BYTES) problem ??= `unit has ${unitLength} bytes; it must have 1 to ${MAXIMUM_UNIT_BYTES}`;
  else if (holdIdLength > MAXIMUM_ID_BYTES) problem ??= `hold_id has ${holdIdLength} bytes; at most ${MAXIMUM_ID_BYTES} are allowed`;
  else if (pairs > MAXIMUM_METADATA_PAIRS) problem ??= `metadata has ${pairs} pairs; at most ${MAXIMUM_METADATA_PAIRS} are allowed`;
  else if (pairBytes > MAXIMUM_METADATA_BYTES) problem ??= `metadata has ${pairBytes} bytes; at most ${MAXIMUM_METADATA_BYTES} are allowed`;
  else if (end - body > MAXIMUM_POSTING_BYTES) problem ??= `the posting has ${end - body} bytes; at most ${MAXIMUM_POSTING_BYTES} are allowed`;
  else if (type >= 4 && type <= 5 && holdIdLength === 0) problem ??= 'hold_id is empty; CAPTURE and RELEASE name a hold';
  // The log of an older version may have what is refused here.
  else if (type >= 1 && type <= 3 && holdIdLength > 0 && issues !== NO_ISSUES)
    problem ??= 'hold_id is for CAPTURE and RELEASE; the id of a hold is the request_id of its HOLD';
  else if (type >= 1 && type !== 4 && (flags & FINAL_FLAG) !== 0 && issues !== NO_ISSUES) problem ??= 'final is for CAPTURE';
  else if ((flags & ENGINE_FLAGS) !== 0 && batch.legs === undefined)
    problem ??= 'to_account_id, from_account_id, hold_expired, funds, to_capability, order and interest stand in the log only';
  else if ((flags & EXPIRES_FLAG) !== 0 && issues !== NO_ISSUES) problem ??= holdEndProblem(type, holdEndIn(bytes.subarray(body, end)));
  if (problem !== undefined) issues.invalid(batch, index, problem);
  else if (type < 1 || type > 5) issues.unknownType(batch, index);
}

/** The business date at which an encoded Posting was initiated, where its flag says that it names one: days since 1970-01-01. */
export function initiatedDateIn(body: Uint8Array): CalendarDate | undefined {
  let date: CalendarDate | undefined;
  for (let at = 0; at < body.length; ) {
    const next = skipField(body, at, body.length);
    if (body[at] === 0x52) date = dateFromText(Buffer.from(body.buffer, body.byteOffset + at + 2, next - at - 2).toString('latin1'));
    at = next;
  }
  return date;
}

/** What an encoded Posting says about the end of its hold. */
export function holdEndIn(body: Uint8Array): HoldEnd {
  const { expiresAtUs, expiresAfterMs } = Posting.decode(body);
  return { expiresAtUs: Number(expiresAtUs), expiresAfterMs: Number(expiresAfterMs) };
}

function holdEndProblem(type: number, { expiresAtUs, expiresAfterMs }: HoldEnd): string | undefined {
  if (type !== HOLD_TYPE) return 'expires_at_us and expires_after_ms are for a HOLD';
  if (expiresAtUs !== 0 && expiresAfterMs !== 0) return 'expires_at_us and expires_after_ms are both set';
  if (expiresAtUs < 0 || expiresAtUs > Number.MAX_SAFE_INTEGER) return `expires_at_us is ${expiresAtUs}; it must be from 0 to 2^53 - 1`;
  if (expiresAfterMs < 0 || expiresAfterMs > MAXIMUM_HOLD_DURATION_MS) {
    return `expires_after_ms is ${expiresAfterMs}; it must be from 0 to ${MAXIMUM_HOLD_DURATION_MS}, which is ten years`;
  }
  return undefined;
}

function isText(bytes: Uint8Array, at: number, length: number): boolean {
  const end = at + length;
  for (let index = at; index < end; index += 1) {
    if ((bytes[index] as number) >= 0x80) return isUtf8(bytes.subarray(at, end));
  }
  return true;
}

/** YYYY-MM-DD of a day that exists. */
export function isDate(bytes: Uint8Array, at: number, length: number): boolean {
  if (length !== 10) return false;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString('latin1');
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** Whether key and value of an encoded pair are text. The pair itself has to be whole: others will decode it. */
function isMetadataText(bytes: Uint8Array, start: number, end: number): boolean {
  let valid = true;
  let at = start;
  while (at < end) {
    const tag = bytes[at] as number;
    const next = skipField(bytes, at, end);
    if (tag === METADATA_KEY_TAG || tag === METADATA_VALUE_TAG) {
      const textAt = skipVarint(bytes, at + 1, end);
      if (!isText(bytes, textAt, next - textAt)) valid = false;
    }
    at = next;
  }
  return valid;
}

/** Whether the varint says anything but 0. */
function isNonZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] as number;
    if ((byte & 0x7f) !== 0) return true;
    if (byte < 0x80) return false;
  }
  return false;
}

/** A length of more than one byte. */
function longLength(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > MAXIMUM_LENGTH_BYTES) throw new MalformedMessageError('a length of more than five bytes');
  let length = 0;
  for (let at = end - 1; at >= start; at -= 1) length = length * 128 + ((bytes[at] as number) & 0x7f);
  return length;
}

function skipVarint(bytes: Uint8Array, at: number, end: number): number {
  for (let count = 0; count < 10; count += 1) {
    if (at >= end) throw new MalformedMessageError('the message ends within a field');
    if ((bytes[at++] as number) < 0x80) return at;
  }
  throw new MalformedMessageError('a varint of more than ten bytes');
}

/** Behind the tag. One that decoders may read differently is no tag: see the head of this file. */
function skipTag(bytes: Uint8Array, start: number, end: number): number {
  const at = skipVarint(bytes, start, end);
  let tag = 0;
  for (let index = at - 1; index >= start; index -= 1) tag = tag * 128 + ((bytes[index] as number) & 0x7f);
  const length = at - start;
  if (tag < 8 || tag > MAXIMUM_TAG || length > MAXIMUM_TAG_BYTES || (length > 1 && tag < 0x80)) throw new MalformedMessageError('a tag that names no field');
  return at;
}

function skipField(bytes: Uint8Array, at: number, end: number): number {
  const wireType = (bytes[at] as number) & 7;
  at = skipTag(bytes, at, end);
  switch (wireType) {
    case 0:
      return skipVarint(bytes, at, end);
    case 1:
      at += 8;
      break;
    case 2: {
      let length = 0;
      let scale = 1;
      for (let count = 0; ; count += 1) {
        if (at >= end || count >= 5) throw new MalformedMessageError('the message ends within a field');
        const byte = bytes[at++] as number;
        length += (byte & 0x7f) * scale;
        if (byte < 0x80) break;
        scale *= 128;
      }
      at += length;
      break;
    }
    case 5:
      at += 4;
      break;
    default:
      throw new MalformedMessageError(`wire type ${wireType} is not known`);
  }
  if (at > end) throw new MalformedMessageError('a field reaches beyond its message');
  return at;
}
