/**
 * The body of an account's record: in snapshots, and in memory while it is cold. Its key is the account id.
 *
 *   status | unit | branch | product | key id | limits | balance | held | counters | times | holds | in transit |
 *   expiries of holds | linked account
 *
 * A record of version 1 ends behind the holds, one of version 2 behind their expiries.
 */
import { type Account, type AccountLimits, type AccountStatus, type PostingType, POSTING_TYPES } from '@sluice/domain/account';
import { ByteReader, type ByteWriter } from '@sluice/protocol';

/** Version of the blocks of a snapshot of accounts. */
export const ACCOUNT_RECORD_VERSION = 3;

const STATUSES: readonly AccountStatus[] = ['OPEN', 'FROZEN', 'CLOSED'];
const HAS_MAXIMUM_BALANCE = 1;
const HAS_MAXIMUM_POSTING = 2;
/** Wire type of a varint. */
const VARINT = 0;
const halvesOf = new BigInt64Array(1);
const halves = new Int32Array(halvesOf.buffer);

export function packAccount(
  writer: ByteWriter,
  account: Account,
  holds: ReadonlyMap<string, bigint> = account.holds,
  holdExpiries: ReadonlyMap<string, number> = account.holdExpiries,
): void {
  writer.reserve(256);
  writer.byte(STATUSES.indexOf(account.status));
  text(writer, account.unit);
  text(writer, account.branchId);
  text(writer, account.product);
  text(writer, account.signingKeyId);
  const { limits } = account;
  writer.reserve(128);
  writer.byte((limits.maximumBalanceMinor === undefined ? 0 : HAS_MAXIMUM_BALANCE) | (limits.maximumPostingMinor === undefined ? 0 : HAS_MAXIMUM_POSTING));
  let allowed = 0;
  for (const type of limits.allowedTypes) allowed |= 1 << POSTING_TYPES.indexOf(type);
  writer.byte(allowed);
  signed(writer, limits.overdraftMinor);
  if (limits.maximumBalanceMinor !== undefined) signed(writer, limits.maximumBalanceMinor);
  if (limits.maximumPostingMinor !== undefined) signed(writer, limits.maximumPostingMinor);
  signed(writer, account.balanceMinor);
  signed(writer, account.heldMinor);
  writer.varint(account.entryCount);
  writer.varint(account.rejectionCount);
  writer.varint(account.version);
  writer.varint(account.openedAtUs);
  writer.varint(account.balanceUpdatedAtUs);
  writer.varint(holds.size);
  for (const [holdId, remaining] of holds) {
    text(writer, holdId);
    writer.reserve(12);
    signed(writer, remaining);
  }
  writer.reserve(24);
  signed(writer, account.inTransitMinor);
  writer.varint(holdExpiries.size);
  for (const [holdId, expiresAtUs] of holdExpiries) {
    text(writer, holdId);
    writer.reserve(12);
    writer.varint(expiresAtUs);
  }
  text(writer, account.linkedAccountId);
}

/** @param version in which the body was packed. */
export function unpackAccount(accountId: string, reader: ByteReader, version: number): Account {
  const { bytes } = reader;
  const status = STATUSES[bytes[reader.at++] as number] as AccountStatus;
  const unit = shared(reader.string());
  const branchId = shared(reader.string());
  const product = shared(reader.string());
  const signingKeyId = reader.string();
  const flags = bytes[reader.at++] as number;
  const allowed = bytes[reader.at++] as number;
  const limits = sharedLimits({
    overdraftMinor: reader.sint64(),
    ...(flags & HAS_MAXIMUM_BALANCE ? { maximumBalanceMinor: reader.sint64() } : undefined),
    ...(flags & HAS_MAXIMUM_POSTING ? { maximumPostingMinor: reader.sint64() } : undefined),
    allowedTypes: allowedTypes(allowed),
  });
  const balanceMinor = reader.sint64();
  const heldMinor = reader.sint64();
  const entryCount = reader.varint();
  const rejectionCount = reader.varint();
  const accountVersion = reader.varint();
  const openedAtUs = reader.varint();
  const balanceUpdatedAtUs = reader.varint();
  const holds = new Map<string, bigint>();
  for (let count = reader.varint(); count > 0; count -= 1) {
    const holdId = reader.string();
    holds.set(holdId, reader.sint64());
  }
  const holdExpiries = new Map<string, number>();
  const inTransitMinor = version === 1 ? 0n : reader.sint64();
  for (let count = version === 1 ? 0 : reader.varint(); count > 0; count -= 1) {
    const holdId = reader.string();
    holdExpiries.set(holdId, reader.varint());
  }
  const linkedAccountId = version <= 2 ? '' : reader.string();
  return {
    accountId,
    unit,
    branchId,
    product,
    status,
    limits,
    signingKeyId,
    linkedAccountId,
    balanceMinor,
    heldMinor,
    holds,
    holdExpiries,
    inTransitMinor,
    entryCount,
    rejectionCount,
    version: accountVersion,
    openedAtUs,
    balanceUpdatedAtUs,
  };
}

/** The key id in a body that begins at `at`, '' where the account has none, without unpacking it. It has the same place in every version. */
export function signingKeyIdIn(bytes: Uint8Array, at: number): string {
  const start = classEndIn(bytes, at);
  return bytes[start] === 0 ? '' : new ByteReader(bytes, start, bytes.length).string();
}

/** Where unit, branch and product end, in a body that begins at `at`; they begin behind its first byte. They have the same place in every version. */
export function classEndIn(bytes: Uint8Array, at: number): number {
  return textEnd(bytes, textEnd(bytes, textEnd(bytes, at + 1)));
}

/** Reads them. */
export function classIn(bytes: Uint8Array, at: number): Pick<Account, 'unit' | 'branchId' | 'product'> {
  const reader = new ByteReader(bytes, at + 1, bytes.length);
  return { unit: shared(reader.string()), branchId: shared(reader.string()), product: shared(reader.string()) };
}

/** The balance in a body, without unpacking it. @param classEnd where its class ends. */
export function balanceIn(bytes: Uint8Array, classEnd: number): bigint {
  const reader = new ByteReader(bytes, textEnd(bytes, classEnd), bytes.length);
  const flags = bytes[reader.at] as number;
  // Behind the flags and the allowed types: the limits.
  reader.at += 2;
  const limits = 1 + ((flags & HAS_MAXIMUM_BALANCE) === 0 ? 0 : 1) + ((flags & HAS_MAXIMUM_POSTING) === 0 ? 0 : 1);
  for (let limit = 0; limit < limits; limit += 1) reader.skip(VARINT);
  return reader.sint64();
}

/** Where a text ends that begins at `at`; none has more than 16,383 bytes. */
function textEnd(bytes: Uint8Array, at: number): number {
  const low = bytes[at] as number;
  return low < 0x80 ? at + 1 + low : at + 2 + (low & 0x7f) + ((bytes[at + 1] as number) << 7);
}

function text(writer: ByteWriter, value: string): void {
  const bytes = Buffer.from(value, 'utf8');
  writer.reserve(5 + bytes.length);
  writer.varint(bytes.length);
  writer.raw(bytes, 0, bytes.length);
}

function signed(writer: ByteWriter, value: bigint): void {
  halvesOf[0] = value;
  writer.zigzag64(halves[0] as number, halves[1] as number);
}

const allowedCombinations = new Map<number, readonly PostingType[]>();

function allowedTypes(bits: number): readonly PostingType[] {
  let types = allowedCombinations.get(bits);
  if (types === undefined) {
    types = POSTING_TYPES.filter((_, index) => (bits & (1 << index)) !== 0);
    allowedCombinations.set(bits, types);
  }
  return types;
}

/** Units, branches and products are few: one string each, however many accounts have it. */
const sharedTexts = new Map<string, string>();

export function shared(text: string): string {
  const known = sharedTexts.get(text);
  if (known !== undefined) return known;
  if (sharedTexts.size < 10_000) sharedTexts.set(text, text);
  return text;
}

const limitsInUse = new Map<string, AccountLimits>();

/** Limits are few, too: accounts with the same ones share the object, which keeps it in the processor's cache. */
export function sharedLimits(limits: AccountLimits): AccountLimits {
  const key = `${limits.overdraftMinor}/${limits.maximumBalanceMinor ?? ''}/${limits.maximumPostingMinor ?? ''}/${limits.allowedTypes.join()}`;
  const known = limitsInUse.get(key);
  if (known !== undefined) return known;
  if (limitsInUse.size < 10_000) limitsInUse.set(key, limits);
  return limits;
}
