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
  readonly bytes: Uint8Array;
}

const ACCOUNTS_TAG = 0x0a;
const ACCOUNT_ID_TAG = 0x0a;
const PENDING_MINOR_TAG = 0x18;
const AMOUNT_MINOR_TAG = 0x10;
const TRANSFERS_TAG = 0x22;
const SETTLED_TRANSFERS_TAG = 0x1a;

/** The accounts of an encoded TransfersRecorded. */
export function transfersRecordedIn(payload: Uint8Array): Generator<TransfersOfAccount> {
  return accountsIn(payload, PENDING_MINOR_TAG, TRANSFERS_TAG);
}

/** The accounts of an encoded TransfersSettled. */
export function transfersSettledIn(payload: Uint8Array): Generator<TransfersOfAccount> {
  return accountsIn(payload, AMOUNT_MINOR_TAG, SETTLED_TRANSFERS_TAG);
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
 */
export function writeSettlements(
  writer: ByteWriter,
  accountId: string,
  amountMinor: bigint,
  credits: readonly PostingBatch[],
  indexes: readonly number[],
  rejections: readonly number[],
  targetReasons: readonly string[],
): void {
  const account = writer.open(ACCOUNTS_TAG);
  writer.stringField(ACCOUNT_ID_TAG, accountId);
  writer.reserve(12);
  writer.byte(AMOUNT_MINOR_TAG);
  writer.varint64(Number(amountMinor & 0xffffffffn), Number(amountMinor >> 32n));
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

function* accountsIn(payload: Uint8Array, amountTag: number, transfersTag: number): Generator<TransfersOfAccount> {
  const reader = new ByteReader(payload, 0, payload.length);
  while (!reader.done) {
    const tag = reader.varint();
    if (tag !== ACCOUNTS_TAG) {
      reader.skip(tag & 7);
      continue;
    }
    const bytes = reader.view();
    yield headOf(bytes, amountTag, transfersTag);
  }
}

/** Fields stand in the order of their numbers: the head ends where the transfers begin. */
function headOf(bytes: Uint8Array, amountTag: number, transfersTag: number): TransfersOfAccount {
  const reader = new ByteReader(bytes, 0, bytes.length);
  let accountId = '';
  let amountMinor = 0n;
  while (!reader.done) {
    const tag = reader.varint();
    if (tag === transfersTag) break;
    if (tag === ACCOUNT_ID_TAG) accountId = reader.string();
    else if (tag === amountTag) amountMinor = reader.int64();
    else reader.skip(tag & 7);
  }
  return { accountId, amountMinor, bytes };
}
