/**
 * Position token: how new an answer must at least be. A reply to a command carries one, a query accepts one; in between it
 * is opaque to callers, who may only keep it, pass it on and merge it.
 *
 *   base64url( version 1 | incarnation, 16 bytes | count | count × (partition, sequence) | check, 4 bytes )
 *
 * Numbers are unsigned varints in their shortest form, partitions rise, the check is MurmurHash3 of what is before it. So
 * the same position has exactly one token, and what was cut, changed or made up is told from a token instead of being waited for.
 */
import { murmurHash3 } from '@sluice/domain';

/** Pairs that a token may have: bounds what a caller can make us hold. */
export const MAXIMUM_TOKEN_PARTITIONS = 4_096;
/** The longest token that can be well formed: 23 bytes around the pairs, up to 5 + 8 bytes a pair, in base64url. */
export const MAXIMUM_TOKEN_LENGTH = Math.ceil(((23 + MAXIMUM_TOKEN_PARTITIONS * 13) * 4) / 3);

const VERSION = 1;
const INCARNATION_BYTES = 16;
const CHECK_BYTES = 4;
const CHECK_SEED = 0x51_1c_e0_01;
const MAXIMUM_PARTITION = 0x7fff_ffff;

export interface Position {
  /** The log's incarnation, 32 lower-case hex digits. */
  readonly incarnation: string;
  /** Partition to the sequence that must at least be there; > 0. */
  readonly sequences: ReadonlyMap<number, number>;
}

export class InvalidPositionTokenError extends Error {
  constructor(why: string) {
    super(`the position token is not one of ours: ${why}`);
    this.name = 'InvalidPositionTokenError';
  }
}

/** Two tokens cannot be merged: they are about different logs. */
export class PositionOfOtherLogError extends Error {
  constructor(
    readonly expected: string,
    readonly found: string,
  ) {
    super(`the position token is of log incarnation ${found}, not ${expected}`);
    this.name = 'PositionOfOtherLogError';
  }
}

export function encodePositionToken(position: Position): string {
  const pairs = [...position.sequences].sort(([left], [right]) => left - right);
  if (pairs.length > MAXIMUM_TOKEN_PARTITIONS) throw new RangeError(`a position token has at most ${MAXIMUM_TOKEN_PARTITIONS} partitions, not ${pairs.length}`);
  const bytes: number[] = [VERSION, ...incarnationBytes(position.incarnation)];
  pushVarint(bytes, pairs.length);
  for (const [partition, sequence] of pairs) {
    if (!Number.isInteger(partition) || partition < 0 || partition > MAXIMUM_PARTITION) throw new RangeError(`${partition} is not a partition`);
    if (!Number.isSafeInteger(sequence) || sequence < 1) throw new RangeError(`${sequence} is not a sequence`);
    pushVarint(bytes, partition);
    pushVarint(bytes, sequence);
  }
  const token = Buffer.alloc(bytes.length + CHECK_BYTES);
  token.set(bytes);
  token.writeInt32BE(murmurHash3(token, 0, bytes.length, CHECK_SEED), bytes.length);
  return token.toString('base64url');
}

/**
 * Makes tokens of one partition each. All answers of a turn carry the same position, so the last token of each partition
 * is kept and the hot path pays a comparison.
 */
export function positionTokenEncoder(incarnation: string): (partition: number, sequence: number) => string {
  const newest = new Map<number, { sequence: number; token: string }>();
  return (partition, sequence) => {
    const known = newest.get(partition);
    if (known !== undefined && known.sequence === sequence) return known.token;
    const token = encodePositionToken({ incarnation, sequences: new Map([[partition, sequence]]) });
    newest.set(partition, { sequence, token });
    return token;
  };
}

/** Throws InvalidPositionTokenError for everything that `encodePositionToken` does not make. */
export function decodePositionToken(token: string): Position {
  if (token.length > MAXIMUM_TOKEN_LENGTH) throw new InvalidPositionTokenError('it is too long');
  const bytes = Buffer.from(token, 'base64url');
  // Buffer.from skips what it does not know; a token that does not come back the same was not made by us.
  if (bytes.toString('base64url') !== token) throw new InvalidPositionTokenError('it is not base64url');
  const end = bytes.length - CHECK_BYTES;
  if (end < 1 + INCARNATION_BYTES + 1) throw new InvalidPositionTokenError('it is too short');
  if (bytes[0] !== VERSION) throw new InvalidPositionTokenError(`version ${bytes[0]} is unknown`);
  if (bytes.readInt32BE(end) !== murmurHash3(bytes, 0, end, CHECK_SEED)) throw new InvalidPositionTokenError('its check fails');
  const incarnation = bytes.toString('hex', 1, 1 + INCARNATION_BYTES);
  const reader = new VarintReader(bytes, 1 + INCARNATION_BYTES, end);
  const count = reader.next();
  if (count > MAXIMUM_TOKEN_PARTITIONS) throw new InvalidPositionTokenError('it has too many partitions');
  const sequences = new Map<number, number>();
  let previous = -1;
  for (let index = 0; index < count; index += 1) {
    const partition = reader.next();
    const sequence = reader.next();
    if (partition <= previous || partition > MAXIMUM_PARTITION) throw new InvalidPositionTokenError('its partitions do not rise');
    if (sequence === 0) throw new InvalidPositionTokenError('it has a sequence of 0');
    sequences.set(partition, sequence);
    previous = partition;
  }
  if (!reader.atEnd) throw new InvalidPositionTokenError('something follows its last pair');
  return { incarnation, sequences };
}

/** The position that covers both. Throws PositionOfOtherLogError where the incarnations differ. */
export function mergePositions(left: Position, right: Position): Position {
  if (left.incarnation !== right.incarnation) throw new PositionOfOtherLogError(left.incarnation, right.incarnation);
  const sequences = new Map(left.sequences);
  for (const [partition, sequence] of right.sequences) {
    if (sequence > (sequences.get(partition) ?? 0)) sequences.set(partition, sequence);
  }
  return { incarnation: left.incarnation, sequences };
}

/** `mergePositions` on tokens; an empty token stands for no position. Throws like it and like `decodePositionToken`. */
export function mergePositionTokens(left: string, right: string): string {
  if (left === '' || left === right) return right;
  if (right === '') return left;
  return encodePositionToken(mergePositions(decodePositionToken(left), decodePositionToken(right)));
}

/**
 * Whether data that stands at `reached` is at least as new as the position.
 *
 * @param reached sequence of the newest commit that the data has of a partition; undefined or 0: none.
 */
export function coversPosition(reached: (partition: number) => number | undefined, position: Position): boolean {
  for (const [partition, sequence] of position.sequences) {
    if ((reached(partition) ?? 0) < sequence) return false;
  }
  return true;
}

function incarnationBytes(incarnation: string): Uint8Array {
  if (!/^[0-9a-f]{32}$/.test(incarnation)) throw new RangeError(`an incarnation is 32 lower-case hex digits, not "${incarnation}"`);
  return Buffer.from(incarnation, 'hex');
}

function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}

class VarintReader {
  constructor(
    private readonly bytes: Uint8Array,
    private at: number,
    private readonly end: number,
  ) {}

  get atEnd(): boolean {
    return this.at === this.end;
  }

  next(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      if (this.at >= this.end) throw new InvalidPositionTokenError('it ends in the middle');
      const byte = this.bytes[this.at] as number;
      this.at += 1;
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw new InvalidPositionTokenError('a number in it is too large');
      if (byte < 0x80) {
        if (byte === 0 && scale > 1) throw new InvalidPositionTokenError('a number in it is not in its shortest form');
        return value;
      }
      scale *= 0x80;
    }
  }
}
