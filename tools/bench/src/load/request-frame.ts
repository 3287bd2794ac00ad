/**
 * A request that is encoded once and sent many times with other ids: the load generator shares two cores with the server
 * under test, so what it spends is taken from what it measures. The frame is made by the generated encoder; only ids of
 * fixed length are written over.
 */
import { accountpb } from '@sluice/protocol/account';
import { ACCOUNT_DIGITS } from './load-order';
import { REQUEST_ID_LENGTH, REQUEST_ID_PLACEHOLDER, type RequestIds } from './request-ids';

const POSTINGS_TAG = 0x0a;
const REQUEST_ID_TAG = 0x0a;
const ACCOUNT_ID_TAG = 0x12;
const ZERO_DIGIT = 0x30;

export interface RequestFrame {
  readonly bytes: Buffer;
  /** Where each posting's request id stands. */
  readonly requestIdOffsets: readonly number[];
  /** Where the number at the end of each posting's account id stands. */
  readonly accountNumberOffsets: readonly number[];
}

/** One posting in a PostRequest, or several in a PostBatchRequest: the two have the same bytes for one. */
export function buildFrame(accountIds: readonly string[]): RequestFrame {
  const postings = accountIds.map((accountId, index): accountpb.Posting => creditOf(accountId, BigInt(1 + ((index * 7919) % 9973))));
  const bytes = Buffer.from(accountpb.PostBatchRequest.encode({ postings, atomic: false }).finish());
  const { requestIdOffsets, accountNumberOffsets } = locate(bytes);
  return { bytes, requestIdOffsets, accountNumberOffsets };
}

export function creditOf(accountId: string, amountMinor: bigint): accountpb.Posting {
  return {
    requestId: REQUEST_ID_PLACEHOLDER,
    accountId,
    type: accountpb.PostingType.POSTING_TYPE_CREDIT,
    amountMinor,
    unit: 'EUR',
    holdId: '',
    final: false,
    counterparty: '',
    channel: '',
    initiatedDate: '',
    metadata: {},
    signature: Buffer.alloc(0),
    signedAtUs: 0n,
    toAccountId: '',
    fromAccountId: '',
    expiresAtUs: 0n,
    expiresAfterMs: 0n,
    holdExpired: false,
    funds: false,
    toCapability: '',
    order: Buffer.alloc(0),
    interest: false,
  };
}

export interface Located {
  readonly requestIdOffsets: number[];
  readonly accountNumberOffsets: number[];
  /** Where each item ends. */
  readonly itemEnds: number[];
}

/** Where ids stand in a batch of postings or transfers; each begins with request id and account id. */
export function locate(bytes: Buffer): Located {
  const requestIdOffsets: number[] = [];
  const accountNumberOffsets: number[] = [];
  const itemEnds: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    expectByte(bytes, at, POSTINGS_TAG);
    const [postingLength, postingStart] = readLength(bytes, at + 1);
    expectByte(bytes, postingStart, REQUEST_ID_TAG);
    expectByte(bytes, postingStart + 1, REQUEST_ID_LENGTH);
    const requestIdOffset = postingStart + 2;
    expectByte(bytes, requestIdOffset + REQUEST_ID_LENGTH, ACCOUNT_ID_TAG);
    const [accountLength, accountStart] = readLength(bytes, requestIdOffset + REQUEST_ID_LENGTH + 1);
    requestIdOffsets.push(requestIdOffset);
    accountNumberOffsets.push(accountStart + accountLength - ACCOUNT_DIGITS);
    at = postingStart + postingLength;
    itemEnds.push(at);
  }
  return { requestIdOffsets, accountNumberOffsets, itemEnds };
}

function expectByte(bytes: Buffer, at: number, wanted: number): void {
  if (bytes[at] !== wanted) throw new Error(`a request is not encoded as expected: byte ${at} is ${bytes[at]}, not ${wanted}`);
}

function readLength(bytes: Buffer, at: number): [length: number, next: number] {
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] as number;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) return [length, at];
  }
}

export function writeRequestIds(frame: RequestFrame, ids: RequestIds): void {
  const { bytes, requestIdOffsets } = frame;
  for (let index = 0; index < requestIdOffsets.length; index += 1) ids.writeNext(bytes, requestIdOffsets[index] as number);
}

/** A random account of `count` for each posting. */
export function writeRandomAccounts(frame: RequestFrame, count: number): void {
  const { bytes, accountNumberOffsets } = frame;
  for (let index = 0; index < accountNumberOffsets.length; index += 1) {
    writeNumber(bytes, accountNumberOffsets[index] as number, Math.floor(Math.random() * count));
  }
}

/** The number of an account over the digits at its id's end. */
export function writeNumber(bytes: Buffer, offset: number, value: number): void {
  let number = value;
  for (let digit = ACCOUNT_DIGITS - 1; digit >= 0; digit -= 1) {
    bytes[offset + digit] = ZERO_DIGIT + (number % 10);
    number = Math.floor(number / 10);
  }
}
