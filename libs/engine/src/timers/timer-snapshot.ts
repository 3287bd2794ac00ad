/**
 * The pending timers in the blocks of a snapshot, as they were when it began, while turns go on.
 *
 * Slots are gone through in steps. What ends before its step comes is kept as it was; what is set meanwhile is left out.
 *
 *   block  header length u32 ‖ header (JSON: names, next number) ‖ entries
 *   entry  due time f64 ‖ number f64 ‖ body length u32 ‖ body
 */
import type { SnapshotSession } from '../capability';
import type { TimerHeap } from './timer-heap';

export const TIMER_SNAPSHOT_VERSION = 1;
/** Slots of one block, and bytes above which it ends earlier. */
export const TIMER_BLOCK_SLOTS = 4_096;
const BLOCK_BYTES = 512 << 10;
const ENTRY_HEADER_BYTES = 20;

interface BlockHeader {
  readonly names: readonly string[];
  readonly nextNumber: number;
}

export class TimerSnapshot implements SnapshotSession {
  private cursor = 0;
  private readonly slots: number;
  /** Entries of timers that ended before their step. */
  private kept: Buffer[] = [];
  /** Timers that are in the snapshot already, or are kept, and have another slot now. */
  private readonly moved = new Set<number>();
  private written = false;

  constructor(
    private readonly heap: TimerHeap,
    private readonly nextNumber: number,
    private readonly blockSlots: number,
    private readonly ended: () => void,
  ) {
    this.slots = heap.slots;
  }

  /** A pending timer is about to end. */
  beforeRemoval(slot: number): void {
    if (slot >= this.cursor && slot < this.slots && this.isOf(slot)) this.kept.push(this.entryOf(slot));
  }

  /** A timer has got a slot again under the number that it had. */
  putBack(number: number): void {
    this.moved.add(number);
  }

  next(): Uint8Array | undefined {
    let entries = this.step();
    while (entries.length === 0 && this.cursor < this.slots) entries = this.step();
    if (entries.length === 0 && (this.written || this.nextNumber === 1)) return undefined;
    this.written = true;
    const header = Buffer.from(JSON.stringify({ names: this.heap.internedNames, nextNumber: this.nextNumber } satisfies BlockHeader));
    const headerLength = Buffer.alloc(4);
    headerLength.writeUInt32LE(header.length);
    return Buffer.concat([headerLength, header, ...entries]);
  }

  end(): void {
    this.ended();
  }

  private step(): Buffer[] {
    const entries = this.kept;
    this.kept = [];
    let bytes = entries.reduce((sum, entry) => sum + entry.length, 0);
    const end = Math.min(this.cursor + this.blockSlots, this.slots);
    for (; this.cursor < end && bytes < BLOCK_BYTES; this.cursor += 1) {
      if (!this.heap.isPending(this.cursor) || !this.isOf(this.cursor)) continue;
      const entry = this.entryOf(this.cursor);
      entries.push(entry);
      bytes += entry.length;
    }
    return entries;
  }

  /** Whether the timer in the slot was pending when the snapshot began, and is not in it by another way. */
  private isOf(slot: number): boolean {
    const number = this.heap.numberOf(slot);
    return number < this.nextNumber && !this.moved.has(number);
  }

  private entryOf(slot: number): Buffer {
    const body = this.heap.body(slot);
    const entry = Buffer.allocUnsafe(ENTRY_HEADER_BYTES + body.length);
    entry.writeDoubleLE(this.heap.dueOf(slot), 0);
    entry.writeDoubleLE(this.heap.numberOf(slot), 8);
    entry.writeUInt32LE(body.length, 16);
    body.copy(entry, ENTRY_HEADER_BYTES);
    return entry;
  }
}

/** Takes a block of a snapshot back into a heap. Returns the number that the next timer has. */
export function restoreTimers(heap: TimerHeap, block: Uint8Array): number {
  const bytes = Buffer.from(block);
  const headerEnd = 4 + bytes.readUInt32LE(0);
  const { names, nextNumber } = JSON.parse(bytes.toString('utf8', 4, headerEnd)) as BlockHeader;
  const numbers = names.map((name) => heap.intern(name));
  for (let at = headerEnd; at < bytes.length; ) {
    const bodyEnd = at + ENTRY_HEADER_BYTES + bytes.readUInt32LE(at + 16);
    const body = bytes.subarray(at + ENTRY_HEADER_BYTES, bodyEnd);
    for (const place of [0, 2]) body.writeUInt16LE(numbers[body.readUInt16LE(place)] as number, place);
    heap.putBody(body, bytes.readDoubleLE(at), bytes.readDoubleLE(at + 8));
    at = bodyEnd;
  }
  return nextNumber;
}
