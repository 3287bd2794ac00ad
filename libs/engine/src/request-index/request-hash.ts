/**
 * Hashes by which accounts and requests are found in memory and in the request index: HalfSipHash-1-3 with a 64-bit key and a 64-bit result
 * (J.-P. Aumasson, D. J. Bernstein: "SipHash: a fast short-input PRF", 2012, and their variant for 32-bit machines). Callers choose the ids
 * that are hashed. MurmurHash3 has collisions that hold for every seed, so that a secret seed is not enough: a keyed function is needed.
 *
 * The key comes from a secret of the deployment and from the log's incarnation. Neither the key nor a hash leaves the process in a reply, an
 * event or a token. Runs of the request index hold hashes, so a manifest names the fingerprint of the key under which its runs were made.
 * Equal hashes are only a hint: the log decides. Partitions are found by another hash, MurmurHash3, which stays the same for ever.
 */
import { createHmac } from 'node:crypto';

/** The key of the hashes. */
export interface HashSeeds {
  readonly first: number;
  readonly second: number;
}

/** The key of the hashes of one log. */
export interface LogSeeds extends HashSeeds {
  /** Tells two keys apart and says nothing about either; hex. */
  readonly fingerprint: string;
}

/** @param secret of the deployment, the same at every start. @param incarnation of the log. */
export function hashSeeds(secret: Uint8Array, incarnation: Uint8Array): LogSeeds {
  const key = createHmac('sha256', secret).update('sluice hash key').update(incarnation).digest();
  const fingerprint = createHmac('sha256', secret).update('sluice hash fingerprint').update(incarnation).digest('hex').slice(0, 32);
  return { first: key.readInt32LE(0), second: key.readInt32LE(4), fingerprint };
}

/** The result of the last `requestHash`. */
export const lastHash = { first: 0, second: 0 };
const halves = new Int32Array(2);

/** First half of the hash of bytes[start, end). */
export function keyedHash(seeds: HashSeeds, bytes: Uint8Array, start: number, end: number): number {
  return keyedHashIn(seeds, wordsIn(bytes), start, end);
}

/** The same for one of many keys in the words. */
export function keyedHashIn(seeds: HashSeeds, words: DataView, start: number, end: number): number {
  halfSipHash(seeds, false, 0, words, start, end, halves, 0);
  return halves[0] as number;
}

/** Hashes the request id in bytes[start, end) into `lastHash`. @param aggregateHash `keyedHash` of the aggregate's key. */
export function requestHash(seeds: HashSeeds, aggregateHash: number, bytes: Uint8Array, start: number, end: number): void {
  halfSipHash(seeds, true, aggregateHash, wordsIn(bytes), start, end, halves, 0);
  lastHash.first = halves[0] as number;
  lastHash.second = halves[1] as number;
}

/** The same for one of many ids in the words. @param into takes the halves, at the index and behind it. */
export function requestHashIn(seeds: HashSeeds, aggregateHash: number, words: DataView, start: number, end: number, into: Int32Array, at: number): void {
  halfSipHash(seeds, true, aggregateHash, words, start, end, into, at);
}

/** A view of the bytes that reads a word in one load: a message that holds many ids needs one. */
export function wordsIn(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const INITIAL_2 = 0x6c796765;
const INITIAL_3 = 0x74656462;
/** Of the variant with a result of 64 bits. */
const LONG_RESULT = 0xee;
const SECOND_HALF = 0xdd;
const FINAL_ROUNDS = 3;
const PREFIX_BYTES = 4;

/**
 * One function, because its state is in registers: handing it to another one would cost as much as half of a hash.
 *
 * @param prefixed the number stands before the bytes, and both halves are asked for. Else only the first one is.
 */
function halfSipHash(seeds: HashSeeds, prefixed: boolean, prefix: number, words: DataView, start: number, end: number, into: Int32Array, intoAt: number): void {
  let v0 = seeds.first;
  let v1 = seeds.second ^ LONG_RESULT;
  let v2 = seeds.first ^ INITIAL_2;
  let v3 = seeds.second ^ INITIAL_3;
  const length = end - start;
  let rest = length << 24;
  if (prefixed) {
    rest = (PREFIX_BYTES + length) << 24;
    v3 ^= prefix;
    v0 = (v0 + v1) | 0;
    v2 = (v2 + v3) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (((v0 << 16) | (v0 >>> 16)) + v3) | 0;
    v2 = (v2 + v1) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= prefix;
  }
  const blocksEnd = start + (length & ~3);
  let at = start;
  for (; at < blocksEnd; at += 4) {
    const word = words.getInt32(at, true);
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v2 = (v2 + v3) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (((v0 << 16) | (v0 >>> 16)) + v3) | 0;
    v2 = (v2 + v1) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  for (let shift = 0; at < end; at += 1, shift += 8) rest |= words.getUint8(at) << shift;
  v3 ^= rest;
  v0 = (v0 + v1) | 0;
  v2 = (v2 + v3) | 0;
  v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
  v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
  v0 = (((v0 << 16) | (v0 >>> 16)) + v3) | 0;
  v2 = (v2 + v1) | 0;
  v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
  v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
  v2 = (v2 << 16) | (v2 >>> 16);
  v0 ^= rest;
  v2 ^= LONG_RESULT;
  for (let round = 0; round < FINAL_ROUNDS; round += 1) {
    v0 = (v0 + v1) | 0;
    v2 = (v2 + v3) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (((v0 << 16) | (v0 >>> 16)) + v3) | 0;
    v2 = (v2 + v1) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
  }
  into[intoAt] = v1 ^ v3;
  if (!prefixed) return;
  v1 ^= SECOND_HALF;
  for (let round = 0; round < FINAL_ROUNDS; round += 1) {
    v0 = (v0 + v1) | 0;
    v2 = (v2 + v3) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (((v0 << 16) | (v0 >>> 16)) + v3) | 0;
    v2 = (v2 + v1) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
  }
  into[intoAt + 1] = v1 ^ v3;
}
