/**
 * Which partition a key lives in: MurmurHash3 x86-32 (seed 0) of the key's UTF-8 as signed 32-bit number, its absolute
 * value, modulo the number of partitions. Where a key has text in braces (first `{` to the next `}`, not empty), only that
 * text is hashed, so that keys can be kept together (the convention of Redis Cluster). Never changes: it decides where data is.
 * Algorithm: Austin Appleby, MurmurHash3 (public domain).
 */
const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/** MurmurHash3 x86-32 of bytes[start, end) as signed 32-bit number. */
export function murmurHash3(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed | 0;
  const length = end - start;
  const blocksEnd = start + (length & ~3);
  let at = start;
  for (; at < blocksEnd; at += 4) {
    let block = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
    block = Math.imul(block, C1);
    block = (block << 15) | (block >>> 17);
    hash ^= Math.imul(block, C2);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  const rest = length & 3;
  if (rest !== 0) {
    let tail = bytes[at] as number;
    if (rest > 1) tail |= (bytes[at + 1] as number) << 8;
    if (rest > 2) tail |= (bytes[at + 2] as number) << 16;
    tail = Math.imul(tail, C1);
    tail = (tail << 15) | (tail >>> 17);
    hash ^= Math.imul(tail, C2);
  }
  hash ^= length;
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Hash of the key in bytes[start, end) with the rule of the braces; signed 32-bit. Never looks outside the key. */
export function keyHash(bytes: Uint8Array, start: number, end: number): number {
  for (let open = start; open < end; open += 1) {
    if (bytes[open] !== OPENING_BRACE) continue;
    for (let close = open + 1; close < end; close += 1) {
      if (bytes[close] !== CLOSING_BRACE) continue;
      return close > open + 1 ? murmurHash3(bytes, open + 1, close, 0) : murmurHash3(bytes, start, end, 0);
    }
    break;
  }
  return murmurHash3(bytes, start, end, 0);
}

/** Partition of a signed 32-bit hash: |hash| mod partitions (2^31 for -2^31). */
export function partitionOfHash(hash: number, partitions: number): number {
  return (hash < 0 ? -hash : hash) % partitions;
}

export function partitionOfKey(utf8: Uint8Array, partitions: number): number {
  return partitionOfHash(keyHash(utf8, 0, utf8.length), partitions);
}

/** Of a key that is hashed whole, braces included: a reservation's number. */
export function partitionOfWholeKey(utf8: Uint8Array, partitions: number): number {
  return partitionOfHash(murmurHash3(utf8, 0, utf8.length, 0), partitions);
}
