/**
 * Reads `AccountPostings`: the header is decoded, the requests and the columns stay bytes until somebody asks.
 */
import type { ChangedHold } from '@sluice/domain/account';
import { ByteReader } from '../wire/byte-reader';

export interface AccountPostingsHeader {
  readonly accountId: string;
  readonly balanceBeforeMinor: bigint;
  readonly balanceAfterMinor: bigint;
  readonly heldBeforeMinor: bigint;
  readonly heldAfterMinor: bigint;
  readonly entriesBefore: number;
  readonly acceptedCount: number;
  readonly rejectedCount: number;
  readonly totalDebitMinor: bigint;
  readonly totalCreditMinor: bigint;
  readonly version: number;
  readonly changedHolds: readonly ChangedHold[];
  /** The encoded PostingList. */
  readonly requests: Uint8Array;
  /** Packed sint64. */
  readonly balancesAfter: Uint8Array;
  /** Packed sint64; empty: held_before all the time. */
  readonly holdsAfter: Uint8Array;
  /** Packed uint32. */
  readonly rejectedPositions: Uint8Array;
  /** Packed enum. */
  readonly rejections: Uint8Array;
  /** Undefined: the account's branch has no business dates. */
  readonly day: PostingsDay | undefined;
}

/** Business dates of postings; days since 1970-01-01. */
export interface PostingsDay {
  readonly businessDate: number;
  /** The newest date that has ended for the account, and its balance then; after the turn. */
  readonly lastDayDate: number;
  readonly lastDayBalanceMinor: bigint;
  /** What the postings that moved the balance are booked against. */
  readonly lines: readonly PostingsLine[];
  /** The date at which the postings were initiated, where it is another one. */
  readonly valueDate?: number;
}

export interface PostingsLine {
  /** As in sluice.log.v1.ContraLine. */
  readonly line: number;
  readonly debitMinor: bigint;
  readonly creditMinor: bigint;
  readonly count: number;
}

const NONE = new Uint8Array(0);
const NO_HOLDS: AccountPostingsHeader['changedHolds'] = Object.freeze([]);
const NO_LINES: readonly PostingsLine[] = Object.freeze([]);

/** The accounts of an encoded PostingsRecorded, each with the bytes that it takes; read as they are asked for. */
export function* postingsRecordedIn(payload: Uint8Array): Generator<{ readonly postings: AccountPostingsHeader; readonly bytes: Uint8Array }> {
  const reader = new ByteReader(payload, 0, payload.length);
  while (!reader.done) {
    const tag = reader.varint();
    if (tag !== 0x0a) {
      reader.skip(tag & 7);
      continue;
    }
    const length = reader.length();
    const bytes = payload.subarray(reader.at, reader.at + length);
    reader.at += length;
    yield { postings: readAccountPostings(bytes), bytes };
  }
}

export function readAccountPostings(bytes: Uint8Array): AccountPostingsHeader {
  const reader = new ByteReader(bytes, 0, bytes.length);
  let accountId = '';
  let balanceBeforeMinor = 0n;
  let balanceAfterMinor = 0n;
  let heldBeforeMinor = 0n;
  let heldAfterMinor = 0n;
  let entriesBefore = 0;
  let acceptedCount = 0;
  let rejectedCount = 0;
  let totalDebitMinor = 0n;
  let totalCreditMinor = 0n;
  let version = 0;
  let changedHolds: ChangedHold[] | undefined;
  let requests: Uint8Array = NONE;
  let balancesAfter: Uint8Array = NONE;
  let holdsAfter: Uint8Array = NONE;
  let rejectedPositions: Uint8Array = NONE;
  let rejections: Uint8Array = NONE;
  let businessDate: number | undefined;
  let lastDayDate = 0;
  let lastDayBalanceMinor = 0n;
  let lines: PostingsLine[] | undefined;
  let valueDate: number | undefined;
  while (!reader.done) {
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
        totalDebitMinor = reader.sint64();
        break;
      case 0x50:
        totalCreditMinor = reader.sint64();
        break;
      case 0x58:
        version = reader.varint();
        break;
      case 0x62:
        (changedHolds ??= []).push(readHold(reader));
        break;
      case 0x6a:
        requests = reader.view();
        break;
      case 0x72:
        balancesAfter = reader.view();
        break;
      case 0x7a:
        holdsAfter = reader.view();
        break;
      case 0x82:
        rejectedPositions = reader.view();
        break;
      case 0x8a:
        rejections = reader.view();
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
      case 0xaa:
        (lines ??= []).push(readLine(reader.view()));
        break;
      case 0xb0:
        valueDate = Number(reader.sint64());
        break;
      default:
        reader.skip(tag & 7);
    }
  }
  return {
    accountId,
    balanceBeforeMinor,
    balanceAfterMinor,
    heldBeforeMinor,
    heldAfterMinor,
    entriesBefore,
    acceptedCount,
    rejectedCount,
    totalDebitMinor,
    totalCreditMinor,
    version,
    changedHolds: changedHolds ?? NO_HOLDS,
    requests,
    balancesAfter,
    holdsAfter,
    rejectedPositions,
    rejections,
    day:
      businessDate === undefined
        ? undefined
        : { businessDate, lastDayDate, lastDayBalanceMinor, lines: lines ?? NO_LINES, ...(valueDate === undefined ? undefined : { valueDate }) },
  };
}

function readLine(bytes: Uint8Array): PostingsLine {
  const reader = new ByteReader(bytes, 0, bytes.length);
  let line = 0;
  let debitMinor = 0n;
  let creditMinor = 0n;
  let count = 0;
  while (!reader.done) {
    const tag = reader.varint();
    if (tag === 0x08) line = reader.varint();
    else if (tag === 0x10) debitMinor = reader.sint64();
    else if (tag === 0x18) creditMinor = reader.sint64();
    else if (tag === 0x20) count = reader.varint();
    else reader.skip(tag & 7);
  }
  return { line, debitMinor, creditMinor, count };
}

function readHold(reader: ByteReader): ChangedHold {
  const length = reader.length();
  const outerEnd = reader.end;
  reader.end = reader.at + length;
  let holdId = '';
  let remainingMinor = 0n;
  let expiresAtUs = 0;
  while (!reader.done) {
    const tag = reader.varint();
    if (tag === 0x0a) holdId = reader.string();
    else if (tag === 0x10) remainingMinor = reader.int64();
    else if (tag === 0x18) expiresAtUs = reader.varint();
    else reader.skip(tag & 7);
  }
  reader.end = outerEnd;
  return expiresAtUs === 0 ? { holdId, remainingMinor } : { holdId, remainingMinor, expiresAtUs };
}
