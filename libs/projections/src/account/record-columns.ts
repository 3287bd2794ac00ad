/**
 * The records of an account in one commit, as the log has them: columns side by side (`AccountPostings`, fields 13 to 17).
 * The projection copies them as bytes; only who reads entries, or has to cut them in pieces, steps through them.
 */
import { ByteReader, ByteWriter, MalformedMessageError } from '@sluice/protocol';
import { type AccountPostingsHeader, accountpb, readAccountPostings } from '@sluice/protocol/account';

export interface RecordColumns {
  /** The encoded PostingList. */
  readonly requests: Uint8Array;
  /** Packed sint64, one per request. */
  readonly balancesAfter: Uint8Array;
  /** Packed sint64, one per request; empty: what is held did not change. */
  readonly holdsAfter: Uint8Array;
  /** Packed uint32, rising: which requests were refused. */
  readonly rejectedPositions: Uint8Array;
  /** Packed enum, one per refused request. */
  readonly rejections: Uint8Array;
}

const REQUEST_TAG = 0x0a;
const NONE = new Uint8Array(0);

/** Steps through the records. */
export class RecordCursor {
  /** Position of the record that it stands on, from 0. */
  position = -1;
  /** Why that record's request was refused; 0: accepted. */
  rejection = 0;
  private readonly requests: ByteReader;
  private readonly balances: ByteReader;
  private readonly holds: ByteReader;
  private readonly rejectedPositions: ByteReader;
  private readonly rejections: ByteReader;
  private nextRejected: number;
  private requestAt = 0;
  private balanceAt = 0;
  private holdAt = 0;

  /** @param heldMinor what is held where the column says nothing. */
  constructor(
    columns: RecordColumns,
    private readonly heldMinor: bigint,
  ) {
    this.requests = over(columns.requests);
    this.balances = over(columns.balancesAfter);
    this.holds = over(columns.holdsAfter);
    this.rejectedPositions = over(columns.rejectedPositions);
    this.rejections = over(columns.rejections);
    this.nextRejected = this.rejectedPositions.done ? -1 : this.rejectedPositions.varint();
  }

  next(): boolean {
    const { requests, balances, holds } = this;
    if (requests.done) return false;
    this.position += 1;
    const tag = requests.varint();
    if (tag !== REQUEST_TAG) throw new MalformedMessageError(`field tag ${tag} among the requests of an account`);
    const length = requests.length();
    this.requestAt = requests.at;
    requests.at += length;
    this.balanceAt = balances.at;
    balances.skip(0);
    this.holdAt = holds.at;
    if (holds.end > 0) holds.skip(0);
    this.rejection = 0;
    if (this.position === this.nextRejected) {
      this.rejection = this.rejections.varint();
      this.nextRejected = this.rejectedPositions.done ? -1 : this.rejectedPositions.varint();
    }
    return true;
  }

  /** The encoded Posting. */
  get request(): Uint8Array {
    return this.requests.bytes.subarray(this.requestAt, this.requests.at);
  }

  get posting(): accountpb.Posting {
    return accountpb.Posting.decode(this.request);
  }

  get balanceAfterMinor(): bigint {
    return new ByteReader(this.balances.bytes, this.balanceAt, this.balances.end).sint64();
  }

  get heldAfterMinor(): bigint {
    return this.holds.end === 0 ? this.heldMinor : new ByteReader(this.holds.bytes, this.holdAt, this.holds.end).sint64();
  }

  /** Ends of the record's fields in the columns, to cut them there. */
  get requestsEnd(): number {
    return this.requests.at;
  }
  get balancesEnd(): number {
    return this.balances.at;
  }
  get holdsEnd(): number {
    return this.holds.at;
  }
}

function over(bytes: Uint8Array): ByteReader {
  return new ByteReader(bytes, 0, bytes.length);
}

/** An encoded AccountPostings, and what is in it. */
export interface PostingsPiece {
  readonly message: Uint8Array;
  readonly recordCount: number;
  readonly acceptedCount: number;
}

/**
 * Cuts an encoded AccountPostings between records into pieces of about `maximumBytes`, at least one record each. A piece is
 * an AccountPostings too, with the account, its balance and held amount after the whole commit, and the dates of its postings.
 */
export function* cutPostings(message: Uint8Array, maximumBytes: number): Generator<PostingsPiece> {
  const postings = readAccountPostings(message);
  const cursor = new RecordCursor(postings, postings.heldAfterMinor);
  let from = { requests: 0, balances: 0, holds: 0 };
  let recordCount = 0;
  let rejected: { readonly position: number; readonly rejection: number }[] = [];
  while (cursor.next()) {
    if (cursor.rejection !== 0) rejected.push({ position: recordCount, rejection: cursor.rejection });
    recordCount += 1;
    const { requestsEnd, balancesEnd, holdsEnd } = cursor;
    const size = requestsEnd - from.requests + (balancesEnd - from.balances) + (holdsEnd - from.holds) + rejected.length * 6;
    if (size < maximumBytes && requestsEnd < postings.requests.length) continue;
    const acceptedCount = recordCount - rejected.length;
    const columns: RecordColumns = {
      requests: postings.requests.subarray(from.requests, requestsEnd),
      balancesAfter: postings.balancesAfter.subarray(from.balances, balancesEnd),
      holdsAfter: postings.holdsAfter.subarray(from.holds, holdsEnd),
      rejectedPositions: packed(rejected.map(({ position }) => position)),
      rejections: packed(rejected.map(({ rejection }) => rejection)),
    };
    yield { message: encodePiece(postings, columns, acceptedCount, rejected.length), recordCount, acceptedCount };
    from = { requests: requestsEnd, balances: balancesEnd, holds: holdsEnd };
    recordCount = 0;
    rejected = [];
  }
}

function encodePiece(whole: AccountPostingsHeader, columns: RecordColumns, acceptedCount: number, rejectedCount: number): Uint8Array {
  const writer = new ByteWriter(columns.requests.length + columns.balancesAfter.length + columns.holdsAfter.length + 1_024);
  writer.stringField(0x0a, whole.accountId);
  writer.sint64Field(0x18, whole.balanceAfterMinor);
  writer.sint64Field(0x28, whole.heldAfterMinor);
  writer.numberField(0x38, acceptedCount);
  writer.numberField(0x40, rejectedCount);
  writeColumn(writer, 0x6a, columns.requests);
  writeColumn(writer, 0x72, columns.balancesAfter);
  writeColumn(writer, 0x7a, columns.holdsAfter);
  writeColumn(writer, 0x82, columns.rejectedPositions);
  writeColumn(writer, 0x8a, columns.rejections);
  if (whole.day !== undefined) {
    writeDate(writer, 0x90, whole.day.businessDate);
    if (whole.day.valueDate !== undefined) writeDate(writer, 0xb0, whole.day.valueDate);
  }
  return writer.copy();
}

/** Tags above 127 take two bytes; 0 is a date. */
function writeDate(writer: ByteWriter, tag: number, date: number): void {
  writer.reserve(12);
  writer.varint(tag);
  writer.zigzag64(date, date < 0 ? -1 : 0);
}

/** Also for the tags above 127, which take two bytes. */
function writeColumn(writer: ByteWriter, tag: number, column: Uint8Array): void {
  if (column.length === 0) return;
  writer.reserve(12);
  writer.varint(tag);
  writer.varint(column.length);
  writer.raw(column, 0, column.length);
}

function packed(numbers: readonly number[]): Uint8Array {
  if (numbers.length === 0) return NONE;
  const writer = new ByteWriter(numbers.length * 5);
  for (const number of numbers) writer.varint(number);
  return writer.copy();
}
