/**
 * Reads `sluice.account.v1.PostingsRecorded` as far as the projection needs it: of each account a few header fields. The
 * requests and their verdicts stay a range of the commit's bytes, to be copied as they are; that is what lets a hot account
 * cost the projector next to nothing per posting. It trades a second reader by hand for it (the one of the protocol library
 * makes views of every column); the generated codec is its oracle in a test.
 */
import { ByteReader } from '@sluice/protocol';

export interface ChangedHold {
  readonly holdId: string;
  readonly remainingMinor: bigint;
  /** Microseconds; 0: it does not expire. */
  readonly expiresAtUs: number;
}

/** What postings say of business dates; days since 1970-01-01. */
export interface PostingsDates {
  readonly businessDate: number;
  readonly lastDayDate: number;
  readonly lastDayBalanceMinor: bigint;
}

/** The postings of one account in one commit. */
export interface PostingsPart {
  readonly kind: 'postings';
  readonly accountId: string;
  readonly sequence: number;
  readonly committedAtUs: number;
  readonly balanceBeforeMinor: bigint;
  readonly balanceAfterMinor: bigint;
  readonly heldBeforeMinor: bigint;
  readonly heldAfterMinor: bigint;
  readonly entriesBefore: number;
  readonly acceptedCount: number;
  readonly rejectedCount: number;
  /** Whether the balance was added to or taken from; it may be what it was before all the same. */
  readonly balanceMoved: boolean;
  readonly version: number;
  readonly changedHolds: readonly ChangedHold[];
  /** Undefined: the account's branch has no business dates. */
  readonly dates: PostingsDates | undefined;
  /** The encoded AccountPostings is bytes[start, end). */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

const ACCOUNTS_TAG = 0x0a;
const NO_HOLDS: readonly ChangedHold[] = Object.freeze([]);

/** Calls back for each account of an encoded `PostingsRecorded`, in its order. */
export function readPostings(payload: Uint8Array, sequence: number, committedAtUs: number, visit: (part: PostingsPart) => void): void {
  const reader = new ByteReader(payload, 0, payload.length);
  const end = payload.length;
  while (reader.at < end) {
    const tag = reader.varint();
    if (tag !== ACCOUNTS_TAG) {
      reader.skip(tag & 7);
      continue;
    }
    const length = reader.length();
    reader.end = reader.at + length;
    const part = readPart(reader, sequence, committedAtUs);
    reader.at = part.end;
    reader.end = end;
    visit(part);
  }
}

function readPart(reader: ByteReader, sequence: number, committedAtUs: number): PostingsPart {
  const start = reader.at;
  let accountId = '';
  let balanceBeforeMinor = 0n;
  let balanceAfterMinor = 0n;
  let heldBeforeMinor = 0n;
  let heldAfterMinor = 0n;
  let entriesBefore = 0;
  let acceptedCount = 0;
  let rejectedCount = 0;
  let balanceMoved = false;
  let version = 0;
  let changedHolds: ChangedHold[] | undefined;
  let businessDate: number | undefined;
  let lastDayDate = 0;
  let lastDayBalanceMinor = 0n;
  while (reader.at < reader.end) {
    const tag = reader.varint();
    switch (tag) {
      case 0x0a:
        accountId = reader.string();
        break;
      case 0x10:
        balanceBeforeMinor = reader.sint64();
        break;
      case 0x18:
        balanceAfterMinor = reader.sint64();
        break;
      case 0x20:
        heldBeforeMinor = reader.sint64();
        break;
      case 0x28:
        heldAfterMinor = reader.sint64();
        break;
      case 0x30:
        entriesBefore = reader.varint();
        break;
      case 0x38:
        acceptedCount = reader.varint();
        break;
      case 0x40:
        rejectedCount = reader.varint();
        break;
      case 0x48:
      case 0x50:
        if (reader.varint() !== 0) balanceMoved = true;
        break;
      case 0x58:
        version = reader.varint();
        break;
      case 0x62:
        changedHolds ??= [];
        changedHolds.push(readHold(reader));
        break;
      case 0x90:
        businessDate = Number(reader.sint64());
        break;
      case 0x98:
        lastDayDate = Number(reader.sint64());
        break;
      case 0xa0:
        lastDayBalanceMinor = reader.sint64();
        break;
      default:
        // The requests and their columns are passed over as a whole.
        reader.skip(tag & 7);
    }
  }
  return {
    kind: 'postings',
    accountId,
    sequence,
    committedAtUs,
    balanceBeforeMinor,
    balanceAfterMinor,
    heldBeforeMinor,
    heldAfterMinor,
    entriesBefore,
    acceptedCount,
    rejectedCount,
    balanceMoved,
    version,
    changedHolds: changedHolds ?? NO_HOLDS,
    dates: businessDate === undefined ? undefined : { businessDate, lastDayDate, lastDayBalanceMinor },
    bytes: reader.bytes,
    start,
    end: reader.end,
  };
}

function readHold(reader: ByteReader): ChangedHold {
  const outerEnd = reader.end;
  const length = reader.length();
  reader.end = reader.at + length;
  let holdId = '';
  let remainingMinor = 0n;
  let expiresAtUs = 0;
  while (reader.at < reader.end) {
    const tag = reader.varint();
    if (tag === 0x0a) holdId = reader.string();
    else if (tag === 0x10) remainingMinor = reader.int64();
    else if (tag === 0x18) expiresAtUs = reader.varint();
    else reader.skip(tag & 7);
  }
  reader.end = outerEnd;
  return { holdId, remainingMinor, expiresAtUs };
}
