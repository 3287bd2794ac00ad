/**
 * Finds slots by a 32-bit hash: open addressing over typed arrays, 4 to 8 bytes for each slot, no object. The table is cut into shards that grow one by
 * one, so that no single insertion rehashes all of it.
 */
const SHARD_BITS = 8;
const FIRST_CAPACITY = 16;
/** A shard grows when more than this part of it is in use. */
const FULLEST = 0.7;

interface Shard {
  /** Slot + 1; 0: empty. */
  table: Uint32Array;
  used: number;
}

export class SlotIndex {
  private readonly shards: (Shard | undefined)[] = [];

  /** @param hashOf the hash of a slot that is in the index: unsigned, 32 bits, with its entropy spread over all of them. */
  constructor(private readonly hashOf: (slot: number) => number) {}

  add(slot: number): void {
    const hash = this.hashOf(slot);
    const shard = this.shardFor(hash);
    if (shard.used + 1 > shard.table.length * FULLEST) this.grow(shard);
    shard.used += 1;
    place(shard.table, hash, slot);
  }

  /** The slot with this hash for which `isIt` holds; -1: none. */
  find(hash: number, isIt: (slot: number) => boolean): number {
    const table = this.shards[hash >>> (32 - SHARD_BITS)]?.table;
    if (table === undefined) return -1;
    const mask = table.length - 1;
    for (let at = hash & mask; table[at] !== 0; at = (at + 1) & mask) {
      const slot = (table[at] as number) - 1;
      if (isIt(slot)) return slot;
    }
    return -1;
  }

  /** The slot must be in the index, with its hash unchanged. */
  remove(slot: number): void {
    const hash = this.hashOf(slot);
    const shard = this.shardFor(hash);
    const { table } = shard;
    const mask = table.length - 1;
    let hole = hash & mask;
    while (table[hole] !== slot + 1) {
      if (table[hole] === 0) throw new Error(`slot ${slot} is not in the index`);
      hole = (hole + 1) & mask;
    }
    shard.used -= 1;
    // What was pushed behind the hole by collisions moves up, so that it is found without markers.
    for (let at = (hole + 1) & mask; table[at] !== 0; at = (at + 1) & mask) {
      const home = this.hashOf((table[at] as number) - 1) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      table[hole] = table[at] as number;
      hole = at;
    }
    table[hole] = 0;
  }

  private shardFor(hash: number): Shard {
    const at = hash >>> (32 - SHARD_BITS);
    let shard = this.shards[at];
    if (shard === undefined) {
      shard = { table: new Uint32Array(FIRST_CAPACITY), used: 0 };
      this.shards[at] = shard;
    }
    return shard;
  }

  private grow(shard: Shard): void {
    const table = new Uint32Array(shard.table.length * 2);
    for (const entry of shard.table) if (entry !== 0) place(table, this.hashOf(entry - 1), entry - 1);
    shard.table = table;
  }
}

function place(table: Uint32Array, hash: number, slot: number): void {
  const mask = table.length - 1;
  let at = hash & mask;
  while (table[at] !== 0) at = (at + 1) & mask;
  table[at] = slot + 1;
}
