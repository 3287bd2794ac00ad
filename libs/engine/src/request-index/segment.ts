/**
 * The newest request ids of a partition: an open hash table over one typed array, hash → sequence of the commit that holds the
 * verdict. A number of ids in the hundreds of thousands costs 16 bytes a slot and no garbage.
 */
/** Numbers per slot: hash (2), sequence (low, high). Sequence 0 marks a free slot. */
export const ENTRY_NUMBERS = 4;
const INITIAL_SLOTS = 1 << 12;
const MAXIMUM_LOAD = 0.7;
/** Ids after which a segment is sealed, if nothing else is said: its table has 16 MiB then. */
export const SEGMENT_IDS = Math.floor((1 << 20) * MAXIMUM_LOAD) - 10_000;

export class Segment {
  private slots = new Int32Array(INITIAL_SLOTS * ENTRY_NUMBERS);
  private mask = INITIAL_SLOTS - 1;
  private limit = Math.floor(INITIAL_SLOTS * MAXIMUM_LOAD);
  count = 0;
  /** Highest sequence in it. */
  lastSequence = 0;

  add(first: number, second: number, sequence: number): void {
    if (this.count >= this.limit) this.grow();
    let slot = (first & this.mask) * ENTRY_NUMBERS;
    const { slots } = this;
    while (slots[slot + 2] !== 0 || slots[slot + 3] !== 0) {
      slot += ENTRY_NUMBERS;
      if (slot === slots.length) slot = 0;
    }
    slots[slot] = first;
    slots[slot + 1] = second;
    slots[slot + 2] = sequence | 0;
    slots[slot + 3] = Math.floor(sequence / 0x1_0000_0000);
    this.count += 1;
    this.lastSequence = sequence;
  }

  /** Sequence of an entry with this hash; 0: there is none. */
  find(first: number, second: number): number {
    const { slots } = this;
    let slot = (first & this.mask) * ENTRY_NUMBERS;
    for (;;) {
      const low = slots[slot + 2] as number;
      const high = slots[slot + 3] as number;
      if (low === 0 && high === 0) return 0;
      if (slots[slot] === first && slots[slot + 1] === second) return high * 0x1_0000_0000 + (low >>> 0);
      slot += ENTRY_NUMBERS;
      if (slot === slots.length) slot = 0;
    }
  }

  /** Sequences of all entries with this hash (more than one only if hashes collide). */
  findAll(first: number, second: number, into: number[]): void {
    const { slots } = this;
    let slot = (first & this.mask) * ENTRY_NUMBERS;
    for (;;) {
      const low = slots[slot + 2] as number;
      const high = slots[slot + 3] as number;
      if (low === 0 && high === 0) return;
      if (slots[slot] === first && slots[slot + 1] === second) into.push(high * 0x1_0000_0000 + (low >>> 0));
      slot += ENTRY_NUMBERS;
      if (slot === slots.length) slot = 0;
    }
  }

  /** A copy of the entries, without the free slots, in no order. */
  entries(): Int32Array {
    const result = new Int32Array(this.count * ENTRY_NUMBERS);
    const { slots } = this;
    let at = 0;
    for (let slot = 0; slot < slots.length; slot += ENTRY_NUMBERS) {
      if (slots[slot + 2] === 0 && slots[slot + 3] === 0) continue;
      result[at] = slots[slot] as number;
      result[at + 1] = slots[slot + 1] as number;
      result[at + 2] = slots[slot + 2] as number;
      result[at + 3] = slots[slot + 3] as number;
      at += ENTRY_NUMBERS;
    }
    return result;
  }

  private grow(): void {
    const size = this.mask + 1;
    const old = this.slots;
    this.slots = new Int32Array(size * 2 * ENTRY_NUMBERS);
    this.mask = size * 2 - 1;
    this.limit = Math.floor(size * 2 * MAXIMUM_LOAD);
    const { slots, mask } = this;
    for (let from = 0; from < old.length; from += ENTRY_NUMBERS) {
      if (old[from + 2] === 0 && old[from + 3] === 0) continue;
      let slot = ((old[from] as number) & mask) * ENTRY_NUMBERS;
      while (slots[slot + 2] !== 0 || slots[slot + 3] !== 0) {
        slot += ENTRY_NUMBERS;
        if (slot === slots.length) slot = 0;
      }
      slots[slot] = old[from] as number;
      slots[slot + 1] = old[from + 1] as number;
      slots[slot + 2] = old[from + 2] as number;
      slots[slot + 3] = old[from + 3] as number;
    }
  }
}
