/**
 * A blocked Bloom filter (F. Putze, P. Sanders, J. Singler: "Cache-, Hash- and Space-Efficient Bloom Filters", 2007): one block of
 * 512 bits, one cache line, per id. The number of blocks is a power of two, so that a filter can be folded to half its size
 * (its halves or-ed): that is how the memory of all filters stays bounded while the log grows; folding costs look-ups, never answers.
 */
const BITS_PER_ID = 24;
const BLOCK_BITS = 512;
const BLOCK_NUMBERS = BLOCK_BITS / 32;
const MULTIPLIERS = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1, 0xd3a2646d, 0xfd7046c5, 0xb55a4f09] as const;

export const SMALLEST_FILTER_BYTES = BLOCK_BITS / 8;

/** Sizes to which filters are folded, the largest first, until all of them fit. */
export function foldedSizes(sizesBytes: readonly number[], maximumBytes: number): number[] {
  const sizes = [...sizesBytes];
  let total = sizes.reduce((sum, size) => sum + size, 0);
  while (total > maximumBytes) {
    const largest = Math.max(...sizes);
    if (largest <= SMALLEST_FILTER_BYTES) return sizes;
    total -= largest / 2;
    sizes[sizes.indexOf(largest)] = largest / 2;
  }
  return sizes;
}

export class Filter {
  constructor(private words: Int32Array) {}

  /** Bytes of a filter that errs for one id in thousands. */
  static bytesFor(count: number): number {
    let blocks = 1;
    while (blocks * BLOCK_BITS < count * BITS_PER_ID) blocks *= 2;
    return (blocks * BLOCK_BITS) / 8;
  }

  /** An empty filter. @param sizeBytes a power of two, 64 at least. */
  static ofBytes(sizeBytes: number): Filter {
    return new Filter(new Int32Array(sizeBytes / 4));
  }

  static forCount(count: number): Filter {
    return Filter.ofBytes(Filter.bytesFor(count));
  }

  static fromBytes(bytes: Uint8Array): Filter {
    const words = new Int32Array(bytes.length / 4);
    new Uint8Array(words.buffer).set(bytes);
    return new Filter(words);
  }

  get sizeBytes(): number {
    return this.words.byteLength;
  }

  toBytes(): Uint8Array {
    return new Uint8Array(this.words.buffer, this.words.byteOffset, this.words.byteLength);
  }

  add(first: number, second: number): void {
    const { words } = this;
    const base = this.block(first);
    for (let index = 0; index < MULTIPLIERS.length; index += 1) {
      const bit = Math.imul(second, MULTIPLIERS[index] as number) >>> 23;
      words[base + (bit >>> 5)] = (words[base + (bit >>> 5)] as number) | (1 << (bit & 31));
    }
  }

  mayHave(first: number, second: number): boolean {
    const { words } = this;
    const base = this.block(first);
    for (let index = 0; index < MULTIPLIERS.length; index += 1) {
      const bit = Math.imul(second, MULTIPLIERS[index] as number) >>> 23;
      if (((words[base + (bit >>> 5)] as number) & (1 << (bit & 31))) === 0) return false;
    }
    return true;
  }

  /** Takes in a piece of a filter that has the size of this one or was twice, four times … as large. @param atBytes where the piece stood in it. */
  merge(piece: Uint8Array, atBytes: number): void {
    const { words } = this;
    const added = new Int32Array(piece.length / 4);
    new Uint8Array(added.buffer).set(piece);
    const mask = words.length - 1;
    for (let index = 0, at = atBytes / 4; index < added.length; index += 1, at += 1) words[at & mask] = (words[at & mask] as number) | (added[index] as number);
  }

  /** Halves the filter's size; false: it has one block already. */
  fold(): boolean {
    const half = this.words.length / 2;
    if (half < BLOCK_NUMBERS) return false;
    const folded = new Int32Array(half);
    for (let index = 0; index < half; index += 1) folded[index] = (this.words[index] as number) | (this.words[index + half] as number);
    this.words = folded;
    return true;
  }

  private block(first: number): number {
    // The low bits choose the block, so that folding (block mod half) keeps what was added findable.
    return (first & (this.words.length / BLOCK_NUMBERS - 1)) * BLOCK_NUMBERS;
  }
}
