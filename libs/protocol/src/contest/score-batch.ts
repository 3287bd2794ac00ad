/**
 * A batch of scores as columns over the bytes in which it came: the hand-made decoder of the hot path. What it does not read as the generated codec
 * would is decoded and encoded by that one first, so columns always lie over canonical bytes. The generated codec is the oracle (property test).
 */
import { ScoreBatchRequest } from '../generated/sluice/contest/v1/command_service';
import { ByteWriter } from '../wire/byte-writer';

const SCORES_TAG = 0x0a;
const REQUEST_ID_TAG = 0x0a;
const CONTEST_ID_TAG = 0x12;
const ACCOUNT_ID_TAG = 0x1a;
const POINTS_TAG = 0x20;
const SCORED_AT_TAG = 0x28;
const TYPICAL_SCORE_BYTES = 40;
const MAXIMUM_LENGTH_BYTES = 4;
const MAXIMUM_VARINT_BYTES = 10;
const NOT_ASCII = 0x80;

/** Columns of `fields`: this many numbers per score. An id that is not there begins and ends at 0. */
export const SCORE_STRIDE = 8;
/** Where the encoded ScoreRequest begins. */
export const SCORE_AT = 0;
export const SCORE_END = 1;
export const SCORE_REQUEST_ID_AT = 2;
export const SCORE_REQUEST_ID_END = 3;
export const SCORE_CONTEST_ID_AT = 4;
export const SCORE_CONTEST_ID_END = 5;
export const SCORE_ACCOUNT_ID_AT = 6;
export const SCORE_ACCOUNT_ID_END = 7;

export class ScoreBatch {
  count = 0;
  fields: Int32Array<ArrayBuffer>;
  /** As they were sent; what is below 0 or above 2^53 is some number above 2^53. */
  points: Float64Array<ArrayBuffer>;
  /** The same. */
  scoredAtUs: Float64Array<ArrayBuffer>;

  constructor(
    /** Holds the scores, each in canonical form. */
    readonly bytes: Buffer,
    /** All ids are ASCII. */
    readonly isAscii: boolean,
  ) {
    const capacity = 1 + Math.ceil(bytes.length / TYPICAL_SCORE_BYTES);
    this.fields = new Int32Array(capacity * SCORE_STRIDE);
    this.points = new Float64Array(capacity);
    this.scoredAtUs = new Float64Array(capacity);
  }

  /** Room for one more; its index. */
  add(): number {
    const { count } = this;
    if (count === this.points.length) this.grow();
    this.count = count + 1;
    return count;
  }

  text(at: number, end: number): string {
    return this.bytes.toString(this.isAscii ? 'latin1' : 'utf8', at, end);
  }

  requestId(index: number): string {
    const base = index * SCORE_STRIDE;
    return this.text(this.fields[base + SCORE_REQUEST_ID_AT] as number, this.fields[base + SCORE_REQUEST_ID_END] as number);
  }

  /** The encoded ScoreRequest. */
  body(index: number): Buffer {
    const base = index * SCORE_STRIDE;
    return this.bytes.subarray(this.fields[base + SCORE_AT], this.fields[base + SCORE_END]);
  }

  /** The encoded ScoreBatchRequest of some of the scores. */
  part(indexes: readonly number[]): Buffer {
    const writer = new ByteWriter(64 + 2 * TYPICAL_SCORE_BYTES * indexes.length);
    for (const index of indexes) writer.bytesField(SCORES_TAG, this.body(index));
    return writer.bytes.subarray(0, writer.at);
  }

  private grow(): void {
    const capacity = this.points.length * 2;
    const { fields, points, scoredAtUs } = this;
    this.fields = new Int32Array(capacity * SCORE_STRIDE);
    this.fields.set(fields);
    this.points = new Float64Array(capacity);
    this.points.set(points);
    this.scoredAtUs = new Float64Array(capacity);
    this.scoredAtUs.set(scoredAtUs);
  }
}

/** Reads a ScoreBatchRequest. Throws what the generated codec throws for bytes that are none. */
export function readScoreBatch(bytes: Buffer): ScoreBatch {
  const plain = new ScoreScan(bytes, true).scan();
  if (plain !== undefined) return plain;
  const canonical = Buffer.from(ScoreBatchRequest.encode(ScoreBatchRequest.decode(bytes)).finish());
  const batch = new ScoreScan(canonical, false).scan();
  if (batch === undefined) throw new Error('the generated codec writes scores that cannot be read by hand');
  return batch;
}

/** One pass over a message whose scores are canonical. */
class ScoreScan {
  private at = 0;
  /** The last varint that was read. */
  private value = 0;
  private readonly batch: ScoreBatch;

  /** @param isStrict texts have to be ASCII: a decoder may take others differently than they stand there. */
  constructor(
    private readonly bytes: Buffer,
    private readonly isStrict: boolean,
  ) {
    this.batch = new ScoreBatch(bytes, isStrict);
  }

  /** Undefined: the bytes are not canonical, or no message. */
  scan(): ScoreBatch | undefined {
    const { bytes, batch } = this;
    const { length } = bytes;
    while (this.at < length) {
      if (bytes[this.at] !== SCORES_TAG) return undefined;
      this.at += 1;
      if (!this.varint(length, MAXIMUM_LENGTH_BYTES)) return undefined;
      const end = this.at + this.value;
      if (end > length || !this.score(batch.add(), end)) return undefined;
    }
    return batch;
  }

  /** Fields stand in the order of their numbers, each once at most, and none has its default. */
  private score(index: number, end: number): boolean {
    const { bytes, batch } = this;
    const base = index * SCORE_STRIDE;
    batch.fields[base + SCORE_AT] = this.at;
    batch.fields[base + SCORE_END] = end;
    if (this.at < end && bytes[this.at] === REQUEST_ID_TAG && !this.text(base + SCORE_REQUEST_ID_AT, end)) return false;
    if (this.at < end && bytes[this.at] === CONTEST_ID_TAG && !this.text(base + SCORE_CONTEST_ID_AT, end)) return false;
    if (this.at < end && bytes[this.at] === ACCOUNT_ID_TAG && !this.text(base + SCORE_ACCOUNT_ID_AT, end)) return false;
    if (this.at < end && bytes[this.at] === POINTS_TAG) {
      if (!this.number(end)) return false;
      batch.points[index] = this.value;
    }
    if (this.at < end && bytes[this.at] === SCORED_AT_TAG) {
      if (!this.number(end)) return false;
      batch.scoredAtUs[index] = this.value;
    }
    return this.at === end;
  }

  private text(column: number, end: number): boolean {
    const { bytes } = this;
    this.at += 1;
    if (!this.varint(end, MAXIMUM_LENGTH_BYTES) || this.value === 0) return false;
    const from = this.at;
    const to = from + this.value;
    if (to > end) return false;
    if (this.isStrict) for (let at = from; at < to; at += 1) if ((bytes[at] as number) >= NOT_ASCII) return false;
    this.batch.fields[column] = from;
    this.batch.fields[column + 1] = to;
    this.at = to;
    return true;
  }

  private number(end: number): boolean {
    this.at += 1;
    return this.varint(end, MAXIMUM_VARINT_BYTES) && this.value !== 0;
  }

  /** Reads one that is as short as can be into `value`. */
  private varint(end: number, maximumBytes: number): boolean {
    const { bytes } = this;
    let { at } = this;
    let value = 0;
    let scale = 1;
    for (let count = 1; count <= maximumBytes && at < end; count += 1) {
      const byte = bytes[at] as number;
      at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.at = at;
        this.value = value;
        return (byte !== 0 || count === 1) && (count < MAXIMUM_VARINT_BYTES || byte === 1);
      }
      scale *= 128;
    }
    return false;
  }
}
