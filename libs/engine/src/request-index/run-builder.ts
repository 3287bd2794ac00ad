/**
 * Sorts entries of the request-id index by their hash (radix sort, 11 bits a pass) and cuts them into blocks. Runs in a worker.
 */
import { type Filter } from './filter';
import { ENTRY_NUMBERS } from './segment';

/** Entries per block: 64 KiB. */
export const BLOCK_ENTRIES = 4096;
const RADIX_BITS = 11;
const RADIX = 1 << RADIX_BITS;

/** Sorts by the first half of the hash, unsigned. */
export function sortEntries(entries: Int32Array): Int32Array {
  const count = entries.length / ENTRY_NUMBERS;
  let from = entries;
  let to: Int32Array = new Int32Array(entries.length);
  for (let shift = 0; shift < 32; shift += RADIX_BITS) {
    const starts = new Uint32Array(RADIX);
    for (let index = 0; index < count; index += 1) {
      const digit = ((from[index * ENTRY_NUMBERS] as number) >>> shift) & (RADIX - 1);
      starts[digit] = (starts[digit] as number) + 1;
    }
    let sum = 0;
    for (let digit = 0; digit < RADIX; digit += 1) {
      const size = starts[digit] as number;
      starts[digit] = sum;
      sum += size;
    }
    for (let index = 0; index < count; index += 1) {
      const source = index * ENTRY_NUMBERS;
      const digit = ((from[source] as number) >>> shift) & (RADIX - 1);
      const target = (starts[digit] as number) * ENTRY_NUMBERS;
      starts[digit] = (starts[digit] as number) + 1;
      to[target] = from[source] as number;
      to[target + 1] = from[source + 1] as number;
      to[target + 2] = from[source + 2] as number;
      to[target + 3] = from[source + 3] as number;
    }
    [from, to] = [to, from];
  }
  return from;
}

export function addToFilter(filter: Filter, entries: Int32Array): void {
  for (let at = 0; at < entries.length; at += ENTRY_NUMBERS) filter.add(entries[at] as number, entries[at + 1] as number);
}

/** Sequences of the entries with this hash in a sorted block. */
export function findInBlock(block: Int32Array, first: number, second: number, into: number[]): void {
  const wanted = first >>> 0;
  let low = 0;
  let high = block.length / ENTRY_NUMBERS;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((block[middle * ENTRY_NUMBERS] as number) >>> 0 < wanted) low = middle + 1;
    else high = middle;
  }
  for (let at = low * ENTRY_NUMBERS; at < block.length && block[at] === first; at += ENTRY_NUMBERS) {
    if (block[at + 1] === second) into.push((block[at + 3] as number) * 0x1_0000_0000 + ((block[at + 2] as number) >>> 0));
  }
}
