/**
 * Reads protobuf by hand where only a few fields of a message are wanted: the rest is skipped, not decoded.
 */
export class MalformedMessageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MalformedMessageError';
  }
}

const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
const WIRE_BYTES = 2;
const WIRE_FIXED32 = 5;

export class ByteReader {
  /** Halves of the last `varint64`, signed. */
  low = 0;
  high = 0;
  /** The bytes as Buffer, made for the first text. */
  #text: Buffer | undefined;

  constructor(
    readonly bytes: Uint8Array,
    public at: number,
    public end: number,
  ) {}

  get done(): boolean {
    return this.at >= this.end;
  }

  /** Varint as number; exact up to 2^53. */
  varint(): number {
    const { bytes } = this;
    let byte = this.next(bytes);
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    let scale = 128;
    for (let count = 1; count < 10; count += 1) {
      byte = this.next(bytes);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new MalformedMessageError('a varint of more than ten bytes');
  }

  /** Varint into `low` and `high`. */
  varint64(): void {
    const { bytes } = this;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.next(bytes);
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.low = low;
        this.high = high;
        return;
      }
    }
    throw new MalformedMessageError('a varint of more than ten bytes');
  }

  int64(): bigint {
    this.varint64();
    return joined(this.low, this.high);
  }

  sint64(): bigint {
    this.varint64();
    const { low, high } = this;
    const sign = -(low & 1);
    return joined(((low >>> 1) | (high << 31)) ^ sign, (high >>> 1) ^ sign);
  }

  /** Length of a bytes, string or message field, checked against the end. */
  length(): number {
    const length = this.varint();
    if (this.at + length > this.end) throw new MalformedMessageError('a field reaches beyond its message');
    return length;
  }

  /** A view of a bytes field. */
  view(): Uint8Array {
    const length = this.length();
    const view = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return view;
  }

  string(): string {
    const length = this.length();
    const start = this.at;
    this.at += length;
    this.#text ??= Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
    return this.#text.toString('utf8', start, this.at);
  }

  skip(wireType: number): void {
    switch (wireType) {
      case WIRE_VARINT:
        while (this.next(this.bytes) >= 0x80);
        return;
      case WIRE_FIXED64:
        this.at += 8;
        break;
      case WIRE_BYTES: {
        // The length is read before where it starts counting: `this.at += this.length()` would take the old `at`.
        const length = this.length();
        this.at += length;
        break;
      }
      case WIRE_FIXED32:
        this.at += 4;
        break;
      default:
        throw new MalformedMessageError(`wire type ${wireType} is not known`);
    }
    if (this.at > this.end) throw new MalformedMessageError('a field reaches beyond its message');
  }

  private next(bytes: Uint8Array): number {
    if (this.at >= this.end) throw new MalformedMessageError('the message ends within a field');
    return bytes[this.at++] as number;
  }
}

const JOINED = new BigInt64Array(1);
const HALVES = new Int32Array(JOINED.buffer);

/** The 64-bit number of two halves; by memory, because arithmetic on bigints allocates at every step. */
function joined(low: number, high: number): bigint {
  HALVES[0] = low;
  HALVES[1] = high;
  return JOINED[0] as bigint;
}
