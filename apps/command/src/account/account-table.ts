/**
 * The accounts of one partition: found by the bytes of their id, without making strings. Cold ones stay packed (about a
 * hundred bytes each); an account is unpacked when it is first touched, and may be packed again after a snapshot.
 *
 * A snapshot is taken in steps while turns go on: what changes before its turn to be packed comes is packed as it was at the beginning.
 */
import { murmurHash3, type Account, type AccountLimits, type AccountStatus } from '@sluice/domain';
import type { SnapshotSession } from '@sluice/engine';
import { ByteWriter } from '@sluice/protocol';
import { packAccount, unpackAccount } from './account-record';

const CHUNK_BYTES = 1 << 20;
/** Accounts that one step of a snapshot packs at most. */
const STEP_ACCOUNTS = 4_096;
/** Unpacked accounts that a partition keeps over a snapshot. */
const HOT_ACCOUNTS = 50_000;
const INITIAL_SLOTS = 1 << 12;

/**
 * What changes with every posting, in columns: an account that held its balance as an object of its own would make the garbage collector
 * carry one more survivor per account and turn.
 */
class Amounts {
  balances = new BigInt64Array(1024);
  held = new BigInt64Array(1024);
}

const NO_HOLDS: ReadonlyMap<string, bigint> = new Map();

/** An unpacked account; its amounts are in the columns. */
class TableAccount implements Account {
  accountId!: string;
  unit!: string;
  branchId!: string;
  product!: string;
  status!: AccountStatus;
  limits!: AccountLimits;
  signingKeyId!: string;
  /** Undefined: none so far; most accounts never have one, and a map of its own for each is what the heap would mostly hold. */
  private ownHolds: Map<string, bigint> | undefined;
  entryCount!: number;
  rejectionCount!: number;
  version!: number;
  openedAtUs!: number;
  balanceUpdatedAtUs!: number;

  constructor(
    private readonly amounts: Amounts,
    private readonly ordinal: number,
    account: Account,
  ) {
    this.take(account);
  }

  /** Becomes the account as it is said to be, in every field. */
  take(account: Account): void {
    this.accountId = account.accountId;
    this.unit = account.unit;
    this.branchId = account.branchId;
    this.product = account.product;
    this.status = account.status;
    this.limits = account.limits;
    this.signingKeyId = account.signingKeyId;
    this.ownHolds = account.holds.size === 0 ? undefined : account.holds;
    this.entryCount = account.entryCount;
    this.rejectionCount = account.rejectionCount;
    this.version = account.version;
    this.openedAtUs = account.openedAtUs;
    this.balanceUpdatedAtUs = account.balanceUpdatedAtUs;
    this.balanceMinor = account.balanceMinor;
    this.heldMinor = account.heldMinor;
  }

  get holds(): Map<string, bigint> {
    this.ownHolds ??= new Map();
    return this.ownHolds;
  }

  /** The holds to look at: makes none where there are none. */
  get holdsToRead(): ReadonlyMap<string, bigint> {
    return this.ownHolds ?? NO_HOLDS;
  }

  get balanceMinor(): bigint {
    return this.amounts.balances[this.ordinal] as bigint;
  }

  set balanceMinor(value: bigint) {
    this.amounts.balances[this.ordinal] = value;
  }

  get heldMinor(): bigint {
    return this.amounts.held[this.ordinal] as bigint;
  }

  set heldMinor(value: bigint) {
    this.amounts.held[this.ordinal] = value;
  }
}

export class AccountTable {
  private slots = new Int32Array(INITIAL_SLOTS);
  private mask = INITIAL_SLOTS - 1;
  private hashes = new Int32Array(1024);
  private chunkOf = new Int32Array(1024);
  private offsetOf = new Int32Array(1024);
  private dirty = new Uint8Array(1024);
  private readonly amounts = new Amounts();
  private hot: (TableAccount | undefined)[] = [];
  private hotCount = 0;
  private readonly chunks: (Uint8Array | undefined)[] = [];
  private count = 0;
  /** Packs new accounts until a snapshot packs them anew. */
  private fresh: ByteWriter | undefined;
  private freshChunk = -1;
  private session: TableSnapshot | undefined;
  private readonly scratch = new ByteWriter(256);

  get size(): number {
    return this.count;
  }

  /** Ordinal of the account whose id is bytes[at, at + length); -1: there is none. */
  find(hash: number, bytes: Uint8Array, at: number, length: number): number {
    const { slots, mask, hashes } = this;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const ordinal = (slots[slot] as number) - 1;
      if (ordinal === -1) return -1;
      if (hashes[ordinal] === hash && this.hasId(ordinal, bytes, at, length)) return ordinal;
    }
  }

  account(ordinal: number): TableAccount {
    const known = this.hot[ordinal];
    if (known !== undefined) return known;
    const account = new TableAccount(
      this.amounts,
      ordinal,
      unpackAccount(this.chunks[this.chunkOf[ordinal] as number] as Uint8Array, this.offsetOf[ordinal] as number),
    );
    this.hot[ordinal] = account;
    this.hotCount += 1;
    return account;
  }

  /** Call before an account changes. */
  touch(ordinal: number): Account {
    const account = this.account(ordinal);
    this.session?.beforeChange(ordinal, account);
    this.dirty[ordinal] = 1;
    return account;
  }

  /** The account's record as it is now. */
  packed(ordinal: number): Uint8Array {
    const account = this.account(ordinal);
    this.scratch.reset();
    packAccount(this.scratch, account, account.holdsToRead);
    return this.scratch.copy();
  }

  /** Takes an account back to an earlier record of it. */
  takeBack(ordinal: number, record: Uint8Array): void {
    this.account(ordinal).take(unpackAccount(record, 0));
  }

  /** Takes the account's state over; the table's own object is what `account` and `touch` return from now on. */
  add(account: Account): number {
    const id = Buffer.from(account.accountId, 'utf8');
    const hash = murmurHash3(id, 0, id.length, 0);
    if (this.fresh === undefined || this.fresh.at > CHUNK_BYTES) {
      this.fresh = new ByteWriter(CHUNK_BYTES + (CHUNK_BYTES >> 2));
      this.freshChunk = this.chunks.length;
      this.chunks.push(this.fresh.bytes);
    }
    const offset = this.fresh.at;
    packAccount(this.fresh, account);
    this.chunks[this.freshChunk] = this.fresh.bytes;
    const ordinal = this.insert(hash, this.freshChunk, offset);
    this.hot[ordinal] = new TableAccount(this.amounts, ordinal, account);
    this.hotCount += 1;
    this.dirty[ordinal] = 1;
    return ordinal;
  }

  /** Takes a block of a snapshot in: every record stays packed. */
  restore(block: Uint8Array): void {
    const view = Buffer.from(block.buffer, block.byteOffset, block.length);
    const chunk = this.chunks.length;
    this.chunks.push(view);
    for (let at = 0; at < view.length; at += 4 + view.readUInt32LE(at)) {
      const idLength = view[at + 4] as number;
      this.insert(murmurHash3(view, at + 5, at + 5 + idLength, 0), chunk, at);
    }
  }

  beginSnapshot(): SnapshotSession {
    if (this.session !== undefined) throw new Error('a snapshot of the accounts is under way');
    // New accounts go to a chunk of their own, so that the older ones are free when the snapshot is whole.
    this.fresh = undefined;
    this.session = new TableSnapshot(this, this.count);
    return this.session;
  }

  private insert(hash: number, chunk: number, offset: number): number {
    if (this.count === this.hashes.length) this.growColumns();
    if (this.count >= this.slots.length * 0.6) this.growSlots();
    const ordinal = this.count;
    this.count += 1;
    this.hashes[ordinal] = hash;
    this.chunkOf[ordinal] = chunk;
    this.offsetOf[ordinal] = offset;
    this.hot.push(undefined);
    this.place(hash, ordinal);
    return ordinal;
  }

  private place(hash: number, ordinal: number): void {
    let slot = hash & this.mask;
    while (this.slots[slot] !== 0) slot = (slot + 1) & this.mask;
    this.slots[slot] = ordinal + 1;
  }

  private hasId(ordinal: number, bytes: Uint8Array, at: number, length: number): boolean {
    const chunk = this.chunks[this.chunkOf[ordinal] as number] as Uint8Array;
    const offset = (this.offsetOf[ordinal] as number) + 5;
    if (chunk[offset - 1] !== length) return false;
    for (let index = 0; index < length; index += 1) if (chunk[offset + index] !== bytes[at + index]) return false;
    return true;
  }

  private growColumns(): void {
    const size = this.hashes.length * 2;
    this.hashes = grown(this.hashes, size);
    this.chunkOf = grown(this.chunkOf, size);
    this.offsetOf = grown(this.offsetOf, size);
    this.amounts.balances = grownAmounts(this.amounts.balances, size);
    this.amounts.held = grownAmounts(this.amounts.held, size);
    const dirty = new Uint8Array(size);
    dirty.set(this.dirty);
    this.dirty = dirty;
  }

  private growSlots(): void {
    this.slots = new Int32Array(this.slots.length * 2);
    this.mask = this.slots.length - 1;
    for (let ordinal = 0; ordinal < this.count; ordinal += 1) this.place(this.hashes[ordinal] as number, ordinal);
  }

  // ---- for the snapshot ----

  get nextChunk(): number {
    return this.chunks.length;
  }

  /**
   * Packs accounts from `from` on as of the snapshot into the writer, up to `to` or until a block is full; `preimages` has what changed
   * since. Returns the first one that is not packed.
   */
  packRange(writer: ByteWriter, from: number, to: number, preimages: ReadonlyMap<number, Uint8Array>, chunk: number): number {
    for (let ordinal = from; ordinal < to; ordinal += 1) {
      if (writer.at >= CHUNK_BYTES) return ordinal;
      const offset = writer.at;
      const preimage = preimages.get(ordinal);
      const account = this.hot[ordinal];
      if (preimage !== undefined) writer.raw(preimage, 0, preimage.length);
      else if (account !== undefined && this.dirty[ordinal] === 1) {
        packAccount(writer, account, account.holdsToRead);
        this.dirty[ordinal] = 0;
      } else {
        const packed = this.chunks[this.chunkOf[ordinal] as number] as Uint8Array;
        const start = this.offsetOf[ordinal] as number;
        const length =
          (packed[start] as number) | ((packed[start + 1] as number) << 8) | ((packed[start + 2] as number) << 16) | ((packed[start + 3] as number) << 24);
        writer.raw(packed, start, start + 4 + length);
      }
      this.chunkOf[ordinal] = chunk;
      this.offsetOf[ordinal] = offset;
    }
    return to;
  }

  openChunk(writer: ByteWriter): number {
    this.chunks.push(writer.bytes);
    return this.chunks.length - 1;
  }

  closeChunk(chunk: number, bytes: Uint8Array): void {
    this.chunks[chunk] = bytes;
  }

  /** Every account up to `count` is packed in chunks from `firstChunk` on: older chunks are free, cold accounts can go. */
  endSnapshot(firstChunk: number, whole: boolean): void {
    this.session = undefined;
    if (!whole) return;
    for (let chunk = 0; chunk < firstChunk; chunk += 1) this.chunks[chunk] = undefined;
    if (this.hotCount <= HOT_ACCOUNTS) return;
    for (let ordinal = 0; ordinal < this.count; ordinal += 1) {
      if (this.hot[ordinal] === undefined || this.dirty[ordinal] === 1) continue;
      this.hot[ordinal] = undefined;
      this.hotCount -= 1;
    }
  }
}

class TableSnapshot implements SnapshotSession {
  private cursor = 0;
  private readonly preimages = new Map<number, Uint8Array>();
  private readonly firstChunk: number;
  private readonly scratch = new ByteWriter(256);

  constructor(
    private readonly table: AccountTable,
    private readonly count: number,
  ) {
    this.firstChunk = table.nextChunk;
  }

  beforeChange(ordinal: number, account: TableAccount): void {
    if (ordinal < this.cursor || ordinal >= this.count || this.preimages.has(ordinal)) return;
    this.scratch.reset();
    packAccount(this.scratch, account, account.holdsToRead);
    this.preimages.set(ordinal, this.scratch.copy());
  }

  next(): Uint8Array | undefined {
    if (this.cursor === this.count) return undefined;
    const writer = new ByteWriter(CHUNK_BYTES >> 1);
    const chunk = this.table.openChunk(writer);
    const end = this.table.packRange(writer, this.cursor, Math.min(this.cursor + STEP_ACCOUNTS, this.count), this.preimages, chunk);
    for (let ordinal = this.cursor; ordinal < end; ordinal += 1) this.preimages.delete(ordinal);
    this.cursor = end;
    const bytes = writer.copy();
    this.table.closeChunk(chunk, bytes);
    return bytes;
  }

  end(): void {
    this.table.endSnapshot(this.firstChunk, this.cursor === this.count);
  }
}

function grown(column: Int32Array, size: number): Int32Array<ArrayBuffer> {
  const result = new Int32Array(size);
  result.set(column);
  return result;
}

function grownAmounts(column: BigInt64Array, size: number): BigInt64Array<ArrayBuffer> {
  const result = new BigInt64Array(size);
  result.set(column);
  return result;
}
