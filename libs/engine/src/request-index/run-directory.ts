/**
 * Where the entries of a run are: for each of its blocks the first hash, and a checksum by which a damaged block does not pass for one that lacks
 * an id. A billion ids have 250,000 blocks: the directory is stored in pieces of its own, so that a manifest stays small.
 */
/** Blocks of one piece: 512 KiB. */
const PIECE_BLOCKS = 1 << 16;
const NUMBERS_PER_BLOCK = 2;

export class RunDirectory {
  /** Start and checksum of every block, alternately; both unsigned. */
  private numbers = new Uint32Array(64 * NUMBERS_PER_BLOCK);
  blocks = 0;

  add(start: number, checksum: number): void {
    const at = this.blocks * NUMBERS_PER_BLOCK;
    if (at === this.numbers.length) {
      const grown = new Uint32Array(this.numbers.length * 2);
      grown.set(this.numbers);
      this.numbers = grown;
    }
    this.numbers[at] = start;
    this.numbers[at + 1] = checksum;
    this.blocks += 1;
  }

  checksum(block: number): number {
    return this.numbers[block * NUMBERS_PER_BLOCK + 1] as number;
  }

  /** First block that may hold entries with this hash or a larger one. Equal hashes may begin at the end of the block before the first that starts with them. */
  firstBlockFor(hash: number): number {
    let low = 0;
    let high = this.blocks;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.start(middle) < hash) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  /** Whether the block may hold entries below the bound. */
  startsBelow(block: number, bound: number): boolean {
    return block < this.blocks && this.start(block) < bound;
  }

  toPieces(): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    for (let from = 0; from < this.blocks; from += PIECE_BLOCKS) {
      const numbers = this.numbers.slice(from * NUMBERS_PER_BLOCK, Math.min(from + PIECE_BLOCKS, this.blocks) * NUMBERS_PER_BLOCK);
      pieces.push(new Uint8Array(numbers.buffer));
    }
    return pieces;
  }

  static fromPieces(pieces: readonly Uint8Array[]): RunDirectory {
    const directory = new RunDirectory();
    for (const piece of pieces) {
      const numbers = new Uint32Array(piece.length / 4);
      new Uint8Array(numbers.buffer).set(piece);
      for (let at = 0; at < numbers.length; at += NUMBERS_PER_BLOCK) directory.add(numbers[at] as number, numbers[at + 1] as number);
    }
    return directory;
  }

  private start(block: number): number {
    return this.numbers[block * NUMBERS_PER_BLOCK] as number;
  }
}
