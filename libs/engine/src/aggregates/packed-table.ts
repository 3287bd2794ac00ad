/**
 * The aggregates of one kind in one partition: found by the bytes of their key, without making strings. Cold ones stay packed as bytes;
 * one is unpacked when it is first touched, and may be packed away again after a snapshot.
 *
 * A snapshot is taken in steps while turns go on: what changes before its turn to be packed comes is packed as it was at the beginning.
 *
 *   record:  length (4 bytes) | key length (1 byte) | key | body
 *
 * The key comes first, so that it can be compared without unpacking. What the body is says the kind's codec.
 */
import { ByteReader, ByteWriter } from '@sluice/protocol';
import type { SnapshotSession } from '../capability';
import { keyedHash, keyedHashIn, wordsIn, type HashSeeds } from '../request-index/request-hash';

const CHUNK_BYTES = 1 << 20;
/** Aggregates that one step of a snapshot packs at most. */
const STEP_AGGREGATES = 4_096;
/** Unpacked aggregates, and bytes of their records, that a table keeps over a snapshot. */
const HOT_AGGREGATES = 50_000;
const HOT_BYTES = 16 << 20;
const INITIAL_SLOTS = 1 << 12;
const INITIAL_COLUMNS = 1_024;
const HEAD_BYTES = 5;
export const MAXIMUM_KEY_BYTES = 255;

/** How aggregates of a kind are packed. `Hot` is an unpacked one. */
export interface RecordCodec<Hot extends object> {
  /** Of the bodies that `pack` writes. */
  readonly version: number;
  pack(writer: ByteWriter, hot: Hot): void;
  /** @param version in which the body was packed: this one or an older one. */
  unpack(key: string, body: ByteReader, version: number, ordinal: number): Hot;
  /** Makes an aggregate what the record says, in place. */
  takeBack(hot: Hot, record: Hot): void;
  /** Called when the table has room for so many aggregates: a kind may keep columns of its own, by ordinal. */
  grow?(aggregates: number): void;
}

export class PackedTable<Hot extends object> {
  private slots = new Int32Array(INITIAL_SLOTS);
  private mask = INITIAL_SLOTS - 1;
  private hashes = new Int32Array(INITIAL_COLUMNS);
  private chunkOf = new Int32Array(INITIAL_COLUMNS);
  private offsetOf = new Int32Array(INITIAL_COLUMNS);
  private dirty = new Uint8Array(INITIAL_COLUMNS);
  private hot: (Hot | undefined)[] = [];
  private readonly chunks: (Uint8Array | undefined)[] = [];
  /** Version of the bodies in a chunk. */
  private readonly versions: number[] = [];
  private count = 0;
  /** Packs new aggregates until a snapshot packs them anew. */
  private fresh: ByteWriter | undefined;
  private freshChunk = -1;
  private session: TableSnapshot<Hot> | undefined;
  private readonly scratch = new ByteWriter(256);

  constructor(
    private readonly what: string,
    /** Of the partition: callers choose keys, and must not be able to choose keys that meet in one slot. */
    private readonly seeds: HashSeeds,
    private readonly codec: RecordCodec<Hot>,
  ) {
    codec.grow?.(INITIAL_COLUMNS);
  }

  get size(): number {
    return this.count;
  }

  /** Ordinal of the aggregate whose key is bytes[at, at + length); -1: there is none. */
  ordinalOf(bytes: Uint8Array, at: number, length: number): number {
    return this.find(keyedHash(this.seeds, bytes, at, at + length), bytes, at, length);
  }

  /** The same, for a key that is hashed already. @param hash `keyedHash` of it. */
  find(hash: number, bytes: Uint8Array, at: number, length: number): number {
    const { slots, mask, hashes } = this;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const ordinal = (slots[slot] as number) - 1;
      if (ordinal === -1) return -1;
      if (hashes[ordinal] === hash && this.hasKey(ordinal, bytes, at, length)) return ordinal;
    }
  }

  /** The aggregate, to be read. */
  at(ordinal: number): Hot {
    const hot = this.peek(ordinal);
    this.hot[ordinal] = hot;
    return hot;
  }

  /** The aggregate, to be read at once: one that is packed stays so. */
  peek(ordinal: number): Hot {
    const known = this.hot[ordinal];
    if (known !== undefined) return known;
    const chunk = this.chunkOf[ordinal] as number;
    return this.unpack(this.chunks[chunk] as Uint8Array, this.offsetOf[ordinal] as number, this.versions[chunk] as number, ordinal);
  }

  /** The bytes of its key, good until the next change of the table. */
  keyAt(ordinal: number): Uint8Array {
    const bytes = this.chunks[this.chunkOf[ordinal] as number] as Uint8Array;
    const at = (this.offsetOf[ordinal] as number) + HEAD_BYTES;
    return bytes.subarray(at, at + (bytes[at - 1] as number));
  }

  /** The aggregate, to be changed: call it before every change of a turn. */
  touch(ordinal: number): Hot {
    const hot = this.at(ordinal);
    this.session?.beforeChange(ordinal);
    this.dirty[ordinal] = 1;
    return hot;
  }

  /**
   * Adds an aggregate; its ordinal.
   *
   * @param make makes the table's own object, which `at` and `touch` return from now on.
   */
  addUnder(key: Uint8Array, make: (ordinal: number) => Hot): number {
    if (key.length > MAXIMUM_KEY_BYTES) throw new Error(`a key of ${this.what} has ${key.length} bytes; ${MAXIMUM_KEY_BYTES} are the most`);
    const ordinal = this.insert(keyedHash(this.seeds, key, 0, key.length), -1, 0);
    const hot = make(ordinal);
    if (this.fresh === undefined || this.fresh.at > CHUNK_BYTES) {
      this.fresh = new ByteWriter(CHUNK_BYTES + (CHUNK_BYTES >> 2));
      this.freshChunk = this.openChunk(this.fresh.bytes);
    }
    this.chunkOf[ordinal] = this.freshChunk;
    this.offsetOf[ordinal] = this.fresh.at;
    this.packUnder(this.fresh, key, 0, key.length, hot);
    this.chunks[this.freshChunk] = this.fresh.bytes;
    this.hot[ordinal] = hot;
    this.dirty[ordinal] = 1;
    return ordinal;
  }

  /**
   * Hands out the aggregates of the ordinals [from, to): one that is unpacked to `ofHot`, and the record of another one to `ofPacked`, with where its
   * body begins. None is unpacked by it.
   */
  look(from: number, to: number, ofHot: (hot: Hot) => void, ofPacked: (bytes: Uint8Array, bodyAt: number) => void): void {
    for (let ordinal = from; ordinal < to; ordinal += 1) {
      const hot = this.hot[ordinal];
      if (hot !== undefined) {
        ofHot(hot);
        continue;
      }
      const bytes = this.chunks[this.chunkOf[ordinal] as number] as Uint8Array;
      const at = this.offsetOf[ordinal] as number;
      ofPacked(bytes, at + HEAD_BYTES + (bytes[at + 4] as number));
    }
  }

  /** The record as the aggregate is now. */
  packed(ordinal: number): Uint8Array {
    this.scratch.reset();
    this.pack(this.scratch, ordinal);
    return this.scratch.copy();
  }

  /** Takes an aggregate back to an earlier record of it. */
  takeBack(ordinal: number, record: Uint8Array): void {
    this.codec.takeBack(this.at(ordinal), this.unpack(record, 0, this.codec.version, ordinal));
  }

  /** Takes a block of a snapshot in: every record stays packed. */
  restore(block: Uint8Array, version = this.codec.version): void {
    const view = Buffer.from(block.buffer, block.byteOffset, block.length);
    const chunk = this.openChunk(view, version);
    const words = wordsIn(view);
    for (let at = 0; at < view.length; at += 4 + view.readUInt32LE(at)) {
      const keyLength = view[at + 4] as number;
      this.insert(keyedHashIn(this.seeds, words, at + HEAD_BYTES, at + HEAD_BYTES + keyLength), chunk, at);
    }
  }

  beginSnapshot(): SnapshotSession {
    if (this.session !== undefined) throw new Error(`a snapshot of ${this.what} is under way`);
    // New aggregates go to a chunk of their own, so that the older ones are free when the snapshot is whole.
    this.fresh = undefined;
    this.session = new TableSnapshot(this, this.count);
    return this.session;
  }

  private unpack(bytes: Uint8Array, at: number, version: number, ordinal: number): Hot {
    const bodyAt = at + HEAD_BYTES + (bytes[at + 4] as number);
    const key = Buffer.from(bytes.buffer, bytes.byteOffset + at + HEAD_BYTES, bytes[at + 4] as number).toString('utf8');
    return this.codec.unpack(key, new ByteReader(bytes, bodyAt, at + 4 + lengthAt(bytes, at)), version, ordinal);
  }

  /** Writes the record of a hot aggregate; its key is where the record before it is. */
  private pack(writer: ByteWriter, ordinal: number): void {
    const before = this.chunks[this.chunkOf[ordinal] as number] as Uint8Array;
    const at = this.offsetOf[ordinal] as number;
    this.packUnder(writer, before, at + HEAD_BYTES, at + HEAD_BYTES + (before[at + 4] as number), this.at(ordinal));
  }

  private packUnder(writer: ByteWriter, keyBytes: Uint8Array, from: number, to: number, hot: Hot): void {
    writer.reserve(HEAD_BYTES);
    const start = writer.at;
    writer.at += 4;
    writer.byte(to - from);
    writer.raw(keyBytes, from, to);
    this.codec.pack(writer, hot);
    writer.bytes.writeUInt32LE(writer.at - start - 4, start);
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

  private hasKey(ordinal: number, bytes: Uint8Array, at: number, length: number): boolean {
    const chunk = this.chunks[this.chunkOf[ordinal] as number] as Uint8Array;
    const offset = (this.offsetOf[ordinal] as number) + HEAD_BYTES;
    if (chunk[offset - 1] !== length) return false;
    for (let index = 0; index < length; index += 1) if (chunk[offset + index] !== bytes[at + index]) return false;
    return true;
  }

  private growColumns(): void {
    const size = this.hashes.length * 2;
    this.hashes = grown(this.hashes, size);
    this.chunkOf = grown(this.chunkOf, size);
    this.offsetOf = grown(this.offsetOf, size);
    const dirty = new Uint8Array(size);
    dirty.set(this.dirty);
    this.dirty = dirty;
    this.codec.grow?.(size);
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
   * Packs aggregates from `from` on as of the snapshot into the writer, up to `to` or until a block is full; `preimages` has what changed
   * since. Returns the first one that is not packed.
   */
  packRange(writer: ByteWriter, from: number, to: number, preimages: ReadonlyMap<number, Uint8Array>, chunk: number): number {
    for (let ordinal = from; ordinal < to; ordinal += 1) {
      if (writer.at >= CHUNK_BYTES) return ordinal;
      const offset = writer.at;
      const preimage = preimages.get(ordinal);
      if (preimage !== undefined) writer.raw(preimage, 0, preimage.length);
      else if (this.dirty[ordinal] === 1) {
        this.pack(writer, ordinal);
        this.dirty[ordinal] = 0;
      } else this.copyRecord(writer, ordinal);
      this.chunkOf[ordinal] = chunk;
      this.offsetOf[ordinal] = offset;
    }
    return to;
  }

  /** A block holds records of the newest version only: an older one is packed anew. */
  private copyRecord(writer: ByteWriter, ordinal: number): void {
    const chunk = this.chunkOf[ordinal] as number;
    const bytes = this.chunks[chunk] as Uint8Array;
    const start = this.offsetOf[ordinal] as number;
    if (this.versions[chunk] === this.codec.version) {
      writer.raw(bytes, start, start + 4 + lengthAt(bytes, start));
      return;
    }
    const hot = this.hot[ordinal] ?? this.unpack(bytes, start, this.versions[chunk] as number, ordinal);
    this.packUnder(writer, bytes, start + HEAD_BYTES, start + HEAD_BYTES + (bytes[start + 4] as number), hot);
  }

  openChunk(bytes: Uint8Array, version = this.codec.version): number {
    this.chunks.push(bytes);
    this.versions.push(version);
    return this.chunks.length - 1;
  }

  closeChunk(chunk: number, bytes: Uint8Array): void {
    this.chunks[chunk] = bytes;
  }

  /** Every aggregate up to `count` is packed in chunks from `firstChunk` on: older chunks are free, cold aggregates can go. */
  endSnapshot(firstChunk: number, whole: boolean): void {
    this.session = undefined;
    if (!whole) return;
    for (let chunk = 0; chunk < firstChunk; chunk += 1) this.chunks[chunk] = undefined;
    if (this.fitsHot()) return;
    for (let ordinal = 0; ordinal < this.count; ordinal += 1) if (this.dirty[ordinal] === 0) this.hot[ordinal] = undefined;
  }

  private fitsHot(): boolean {
    let hotCount = 0;
    let hotBytes = 0;
    for (let ordinal = 0; ordinal < this.count; ordinal += 1) {
      if (this.hot[ordinal] === undefined) continue;
      hotCount += 1;
      hotBytes += lengthAt(this.chunks[this.chunkOf[ordinal] as number] as Uint8Array, this.offsetOf[ordinal] as number);
      if (hotCount > HOT_AGGREGATES || hotBytes > HOT_BYTES) return false;
    }
    return true;
  }
}

class TableSnapshot<Hot extends object> implements SnapshotSession {
  private cursor = 0;
  private readonly preimages = new Map<number, Uint8Array>();
  private readonly firstChunk: number;

  constructor(
    private readonly table: PackedTable<Hot>,
    private readonly count: number,
  ) {
    this.firstChunk = table.nextChunk;
  }

  beforeChange(ordinal: number): void {
    if (ordinal < this.cursor || ordinal >= this.count || this.preimages.has(ordinal)) return;
    this.preimages.set(ordinal, this.table.packed(ordinal));
  }

  next(): Uint8Array | undefined {
    if (this.cursor === this.count) return undefined;
    const writer = new ByteWriter(CHUNK_BYTES >> 1);
    const chunk = this.table.openChunk(writer.bytes);
    const end = this.table.packRange(writer, this.cursor, Math.min(this.cursor + STEP_AGGREGATES, this.count), this.preimages, chunk);
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

function lengthAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
}

function grown(column: Int32Array, size: number): Int32Array<ArrayBuffer> {
  const result = new Int32Array(size);
  result.set(column);
  return result;
}
