/**
 * The names and payloads of timers as packed bytes in chunks, so that a million of them are a hundred buffers and no objects.
 *
 * A record is appended to the newest chunk. When less than half of an older chunk is in use, what is left of it is moved to the newest one: each byte that
 * is freed moves at most one other, and at most half of the memory is unused.
 *
 *   record  slot u32 ‖ length u32 ‖ body
 *   body    capability u16 ‖ method u16 ‖ key length u16 ‖ id length u16 ‖ key ‖ id ‖ payload       (capability and method: numbers of interned names)
 */
import type { DueCommand, TimerName } from '../internal/engine-room';

const CHUNK_BITS = 20;
const CHUNK_BYTES = 1 << CHUNK_BITS;
const HEADER_BYTES = 8;
const BODY_HEADER_BYTES = 8;
const LEAST_USED = 0.5;
/** In place of its slot: the record was removed. */
const REMOVED = 0xffff_ffff;
const MAXIMUM_NAMES = 0xffff;
/** Key and id in UTF-8, and payload, of one timer together. */
export const MAXIMUM_TIMER_BYTES = 64 << 10;
/** Records are addressed by 32 bits. */
const MAXIMUM_CHUNKS = 2 ** (32 - CHUNK_BITS);

interface Chunk {
  readonly bytes: Buffer;
  end: number;
  used: number;
}

export class TimerRecords {
  private readonly chunks: (Chunk | undefined)[] = [];
  private newest = -1;
  private readonly names: string[] = [];
  private readonly numbers = new Map<string, number>();

  /** @param moved the record of the slot has another address from now on. */
  constructor(private readonly moved: (slot: number, address: number) => void) {}

  get allocatedBytes(): number {
    return this.chunks.reduce((sum, chunk) => sum + (chunk === undefined ? 0 : CHUNK_BYTES), 0);
  }

  /** Capability and method names, by the numbers that bodies have. */
  get internedNames(): readonly string[] {
    return this.names;
  }

  /** Throws RangeError for a timer that is too large. */
  assertFits({ capability, key, timerId, payload }: DueCommand): void {
    const size = Buffer.byteLength(key) + Buffer.byteLength(timerId) + payload.length;
    if (size > MAXIMUM_TIMER_BYTES)
      throw new RangeError(`the timer ${timerId} of ${capability} ${key} has ${size} bytes; at most ${MAXIMUM_TIMER_BYTES} are possible`);
  }

  /** Returns the record's address. */
  add(slot: number, { capability, method, key, timerId, payload }: DueCommand): number {
    const keyLength = Buffer.byteLength(key);
    const idLength = Buffer.byteLength(timerId);
    const address = this.allocate(slot, BODY_HEADER_BYTES + keyLength + idLength + payload.length);
    const { bytes } = this.chunkAt(address);
    let at = (address & (CHUNK_BYTES - 1)) + HEADER_BYTES;
    bytes.writeUInt16LE(this.intern(capability), at);
    bytes.writeUInt16LE(this.intern(method), at + 2);
    bytes.writeUInt16LE(keyLength, at + 4);
    bytes.writeUInt16LE(idLength, at + 6);
    at += BODY_HEADER_BYTES;
    at += bytes.write(key, at);
    at += bytes.write(timerId, at);
    bytes.set(payload, at);
    return address;
  }

  /** Adds a record by the body that another one had; its names must have been interned with `intern`. */
  addBody(slot: number, body: Uint8Array): number {
    const address = this.allocate(slot, body.length);
    this.chunkAt(address).bytes.set(body, (address & (CHUNK_BYTES - 1)) + HEADER_BYTES);
    return address;
  }

  remove(address: number): void {
    const chunk = this.chunkAt(address);
    const at = address & (CHUNK_BYTES - 1);
    chunk.bytes.writeUInt32LE(REMOVED, at);
    chunk.used -= HEADER_BYTES + chunk.bytes.readUInt32LE(at + 4);
    const number = address >>> CHUNK_BITS;
    if (number !== this.newest && chunk.used < chunk.end * LEAST_USED) this.evacuate(number, chunk);
  }

  /** The body, in place: to be used before the next change. */
  body(address: number): Buffer {
    const { bytes } = this.chunkAt(address);
    const at = address & (CHUNK_BYTES - 1);
    return bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + bytes.readUInt32LE(at + 4));
  }

  /** What the timer says, without its due time; copies. */
  read(address: number): Omit<DueCommand, 'dueAtUs'> {
    const body = this.body(address);
    const keyEnd = BODY_HEADER_BYTES + body.readUInt16LE(4);
    const idEnd = keyEnd + body.readUInt16LE(6);
    return {
      capability: this.names[body.readUInt16LE(0)] as string,
      method: this.names[body.readUInt16LE(2)] as string,
      key: body.toString('utf8', BODY_HEADER_BYTES, keyEnd),
      timerId: body.toString('utf8', keyEnd, idEnd),
      payload: Uint8Array.prototype.slice.call(body, idEnd),
    };
  }

  is(address: number, { capability, key, timerId }: TimerName): boolean {
    const body = this.body(address);
    if (this.names[body.readUInt16LE(0)] !== capability) return false;
    const [, idEnd] = nameIn(body);
    const keyEnd = idEnd - body.readUInt16LE(6);
    return body.toString('utf8', BODY_HEADER_BYTES, keyEnd) === key && body.toString('utf8', keyEnd, idEnd) === timerId;
  }

  intern(name: string): number {
    const known = this.numbers.get(name);
    if (known !== undefined) return known;
    if (this.names.length === MAXIMUM_NAMES) throw new RangeError(`timers name more than ${MAXIMUM_NAMES} capabilities and methods`);
    this.numbers.set(name, this.names.length);
    this.names.push(name);
    return this.names.length - 1;
  }

  private allocate(slot: number, length: number): number {
    const size = HEADER_BYTES + length;
    let chunk = this.chunks[this.newest];
    if (chunk === undefined || chunk.end + size > CHUNK_BYTES) chunk = this.open();
    const at = chunk.end;
    chunk.bytes.writeUInt32LE(slot, at);
    chunk.bytes.writeUInt32LE(length, at + 4);
    chunk.end += size;
    chunk.used += size;
    return this.newest * CHUNK_BYTES + at;
  }

  private open(): Chunk {
    const free = this.chunks.indexOf(undefined);
    this.newest = free === -1 ? this.chunks.length : free;
    if (this.newest === MAXIMUM_CHUNKS) throw new RangeError(`the timers of a partition have more than ${MAXIMUM_CHUNKS} MiB`);
    const chunk = { bytes: Buffer.allocUnsafeSlow(CHUNK_BYTES), end: 0, used: 0 };
    this.chunks[this.newest] = chunk;
    return chunk;
  }

  private evacuate(number: number, { bytes, end }: Chunk): void {
    for (let at = 0; at < end; ) {
      const slot = bytes.readUInt32LE(at);
      const length = bytes.readUInt32LE(at + 4);
      const from = at + HEADER_BYTES;
      at = from + length;
      if (slot !== REMOVED) this.moved(slot, this.addBody(slot, bytes.subarray(from, at)));
    }
    this.chunks[number] = undefined;
  }

  private chunkAt(address: number): Chunk {
    return this.chunks[address >>> CHUNK_BITS] as Chunk;
  }
}

/** Where key and id stand in a body. */
export function nameIn(body: Buffer): [from: number, to: number] {
  return [BODY_HEADER_BYTES, BODY_HEADER_BYTES + body.readUInt16LE(4) + body.readUInt16LE(6)];
}
