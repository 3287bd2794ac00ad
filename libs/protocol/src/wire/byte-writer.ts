/**
 * A growing buffer with the few protobuf encodings that the hot path writes by hand. It trades generality for speed:
 * nested messages get their length patched in afterwards as a varint of four bytes, so that nothing is measured twice.
 */
const COPY_BY_HAND_BELOW = 48;
const UTF8_BYTES_PER_UNIT = 3;
/** A length below it takes one byte. */
const ONE_BYTE_LENGTH = 0x80;

export class ByteWriter {
  bytes: Buffer;
  at = 0;

  constructor(initialBytes = 4096) {
    this.bytes = Buffer.allocUnsafeSlow(initialBytes);
  }

  /** Makes room for so many more bytes. Call it before the raw writes below. */
  reserve(more: number): void {
    const needed = this.at + more;
    if (needed <= this.bytes.length) return;
    let size = this.bytes.length * 2;
    while (size < needed) size *= 2;
    const grown = Buffer.allocUnsafeSlow(size);
    grown.set(this.bytes.subarray(0, this.at));
    this.bytes = grown;
  }

  byte(value: number): void {
    this.bytes[this.at++] = value;
  }

  /** Unsigned varint of a safe integer >= 0. */
  varint(value: number): void {
    const { bytes } = this;
    let at = this.at;
    let rest = value;
    while (rest > 0x7fffffff) {
      bytes[at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.at = at;
  }

  /** Varint of a 64-bit number given as its two halves. */
  varint64(low: number, high: number): void {
    const { bytes } = this;
    let at = this.at;
    let lo = low >>> 0;
    let hi = high >>> 0;
    while (hi !== 0) {
      bytes[at++] = (lo & 0x7f) | 0x80;
      lo = ((lo >>> 7) | (hi << 25)) >>> 0;
      hi >>>= 7;
    }
    while (lo > 0x7f) {
      bytes[at++] = (lo & 0x7f) | 0x80;
      lo >>>= 7;
    }
    bytes[at++] = lo;
    this.at = at;
  }

  /** Zigzag varint (sint64) of a 64-bit number given as its two halves. */
  zigzag64(low: number, high: number): void {
    const sign = high >> 31;
    this.varint64((low << 1) ^ sign, ((high << 1) | (low >>> 31)) ^ sign);
  }

  /** A field of type sint64; nothing for 0. */
  sint64Field(tag: number, value: bigint): void {
    if (value === 0n) return;
    this.reserve(12);
    this.bytes[this.at++] = tag;
    SPLIT_BIG[0] = value;
    this.zigzag64(SPLIT[0] as number, SPLIT[1] as number);
  }

  /** A field of type int64 or int32; nothing for 0. */
  numberField(tag: number, value: number): void {
    if (value === 0) return;
    this.reserve(12);
    this.bytes[this.at++] = tag;
    this.varint(value);
  }

  /** Bytes without tag or length. */
  raw(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.reserve(length);
    if (length < COPY_BY_HAND_BELOW) {
      const { bytes } = this;
      let at = this.at;
      for (let from = start; from < end; from += 1) bytes[at++] = source[from] as number;
      this.at = at;
    } else {
      this.bytes.set(source.subarray(start, end), this.at);
      this.at += length;
    }
  }

  /** A field of type bytes or string, or a message, of a part of the bytes; without `start` and `end`: of all. */
  bytesField(tag: number, source: Uint8Array, start = 0, end = source.length): void {
    this.reserve(8);
    this.bytes[this.at++] = tag;
    this.varint(end - start);
    this.raw(source, start, end);
  }

  /** A field of type string; nothing for ''. */
  stringField(tag: number, value: string): void {
    if (value === '') return;
    this.reserve(8 + UTF8_BYTES_PER_UNIT * value.length);
    this.bytes[this.at++] = tag;
    if (value.length < ONE_BYTE_LENGTH) {
      // The length takes one byte, unless many characters are not ASCII: it is written when it is known.
      const length = this.bytes.write(value, this.at + 1, 'utf8');
      if (length < ONE_BYTE_LENGTH) {
        this.bytes[this.at] = length;
        this.at += 1 + length;
        return;
      }
    }
    this.varint(Buffer.byteLength(value, 'utf8'));
    this.at += this.bytes.write(value, this.at, 'utf8');
  }

  /** Opens a nested message; hand what it returns to `close`. */
  open(tag: number): number {
    this.reserve(5);
    this.bytes[this.at] = tag;
    this.at += 5;
    return this.at;
  }

  close(start: number): void {
    const length = this.at - start;
    const { bytes } = this;
    bytes[start - 4] = (length & 0x7f) | 0x80;
    bytes[start - 3] = ((length >>> 7) & 0x7f) | 0x80;
    bytes[start - 2] = ((length >>> 14) & 0x7f) | 0x80;
    bytes[start - 1] = (length >>> 21) & 0x7f;
  }

  /** Opens a nested message that mostly has up to 127 bytes; hand what it returns to `closeShort`. */
  openShort(tag: number): number {
    this.reserve(2);
    this.bytes[this.at] = tag;
    this.at += 2;
    return this.at;
  }

  /** Writes the length as short as can be, as generated codecs do: the message moves if that takes more than a byte. */
  closeShort(start: number): void {
    const length = this.at - start;
    if (length < 0x80) {
      this.bytes[start - 1] = length;
      return;
    }
    let more = 0;
    for (let rest = length; rest > 0x7f; rest = Math.floor(rest / 128)) more += 1;
    this.reserve(more);
    this.bytes.copyWithin(start + more, start, this.at);
    const end = this.at + more;
    this.at = start - 1;
    this.varint(length);
    this.at = end;
  }

  /** A copy of what was written; the writer can be used again after `reset`. */
  copy(): Buffer {
    const result = Buffer.allocUnsafeSlow(this.at);
    result.set(this.bytes.subarray(0, this.at));
    return result;
  }

  reset(): void {
    this.at = 0;
  }
}

const SPLIT_BIG = new BigInt64Array(1);
const SPLIT = new Int32Array(SPLIT_BIG.buffer);
