/**
 * 64-bit hash of (account, request id), as two 32-bit numbers: two lanes of MurmurHash3's mixing in one pass over the id, seeded
 * by the log's incarnation and the account, so that nobody outside can construct collisions. Equal hashes are only a hint: the
 * log decides. The seeds never change for a log, because the hashes are stored.
 */
import { murmurHash3 } from '@sluice/domain';

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

export interface HashSeeds {
  readonly first: number;
  readonly second: number;
}

export function hashSeeds(incarnation: Uint8Array): HashSeeds {
  return { first: murmurHash3(incarnation, 0, incarnation.length, 0x5bd1e995), second: murmurHash3(incarnation, 0, incarnation.length, 0x7f4a7c15) };
}

/** The result of the last `requestHash`. */
export const lastHash = { first: 0, second: 0 };

/** Hashes bytes[start, end) under the account's hash into `lastHash`. */
export function requestHash(seeds: HashSeeds, accountHash: number, bytes: Uint8Array, start: number, end: number): void {
  let first = seeds.first ^ accountHash;
  let second = seeds.second ^ Math.imul(accountHash, 0x9e3779b1);
  const length = end - start;
  const blocksEnd = start + (length & ~3);
  let at = start;
  for (; at < blocksEnd; at += 4) {
    const block = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
    let mixed = Math.imul(block, C1);
    mixed = (mixed << 15) | (mixed >>> 17);
    first ^= Math.imul(mixed, C2);
    first = (first << 13) | (first >>> 19);
    first = (Math.imul(first, 5) + 0xe6546b64) | 0;
    mixed = Math.imul(block, C2);
    mixed = (mixed << 16) | (mixed >>> 16);
    second ^= Math.imul(mixed, C1);
    second = (second << 17) | (second >>> 15);
    second = (Math.imul(second, 5) + 0x38495ab5) | 0;
  }
  let tail = 0;
  for (let shift = 0; at < end; at += 1, shift += 8) tail |= (bytes[at] as number) << shift;
  first ^= Math.imul(tail, C2) ^ length;
  second ^= Math.imul(tail, C1) ^ length;
  lastHash.first = finish(first);
  lastHash.second = finish(second ^ lastHash.first);
}

function finish(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
