/**
 * The pending timers of one partition: a heap by (due time, number) over typed arrays, with the rest of each timer as packed bytes. A million of them cost
 * some 50 bytes each beside their names and payloads, and nothing while none is due. A timer is found by its name and by its number in constant time.
 *
 * A timer has a slot while it is pending. Slots are reused; numbers are not.
 *
 *   slot   free ──put──▶ queued ──remove──▶ free
 *                          └──park──▶ parked ──remove──▶ free      (pending, but not to be fired: its command cannot be decided)
 *                               ◀──unpark──┘
 */
import type { DueCommand, TimerName } from '../internal/engine-room';
import { type HashSeeds, lastHash, requestHash } from '../request-index/request-hash';
import { SlotIndex } from './slot-index';
import { nameIn, TimerRecords } from './timer-records';

/** Slots are allocated in segments, so that nothing is copied when there are more. */
const SEGMENT_BITS = 12;
const SEGMENT_SLOTS = 1 << SEGMENT_BITS;
const MASK = SEGMENT_SLOTS - 1;
/** Children of a heap position. */
const ARITY = 4;
/** In place of a heap position. */
const PARKED = 0xffff_ffff;
const FREE = 0xffff_fffe;
const NONE = 0xffff_ffff;

interface Segment {
  readonly dueAtUs: Float64Array;
  readonly numbers: Float64Array;
  /** Position in the heap, PARKED or FREE. */
  readonly positions: Uint32Array;
  /** Address of the record; of a free slot: the next free one, or NONE. */
  readonly addresses: Uint32Array;
  readonly nameHashes: Uint32Array;
  /** The heap: the slot at each position. Positions and slots share the segments, because there are as many. */
  readonly heap: Uint32Array;
}

export interface PendingTimer extends DueCommand {
  /** Counts the timers that were ever set in the partition. */
  readonly number: number;
}

export class TimerHeap {
  private readonly segments: Segment[] = [];
  private readonly records = new TimerRecords((slot, address) => {
    this.segment(slot).addresses[slot & MASK] = address;
  });
  private readonly byName = new SlotIndex((slot) => this.segment(slot).nameHashes[slot & MASK] as number);
  private readonly byNumber = new SlotIndex((slot) => hashOfNumber(this.numberOf(slot)));
  /** Holds the name that is looked for while it is hashed. */
  private scratch = Buffer.alloc(256);
  private queued = 0;
  private parked = 0;
  private firstFree = NONE;
  private usedSlots = 0;

  /** @param seeds of the partition: callers cannot make names collide. */
  constructor(private readonly seeds: HashSeeds) {}

  get size(): number {
    return this.queued + this.parked;
  }

  get parkedCount(): number {
    return this.parked;
  }

  /** Every pending timer has a slot below it. */
  get slots(): number {
    return this.usedSlots;
  }

  /** The slot of the timer that is due first; -1: none is queued. */
  get first(): number {
    return this.queued === 0 ? -1 : this.slotAt(0);
  }

  /** Undefined: none is queued. */
  get earliestDueUs(): number | undefined {
    return this.queued === 0 ? undefined : this.dueOf(this.slotAt(0));
  }

  /** What the names and payloads take, unused parts included. */
  get recordBytes(): number {
    return this.records.allocatedBytes;
  }

  /** How many are queued and due then or before; `limit` if there are more. */
  countDue(untilUs: number, limit: number): number {
    let count = 0;
    const open = [0];
    for (let position = open.pop(); position !== undefined && count < limit; position = open.pop()) {
      if (position >= this.queued || this.dueOf(this.slotAt(position)) > untilUs) continue;
      count += 1;
      for (let child = position * ARITY + 1; child <= position * ARITY + ARITY; child += 1) open.push(child);
    }
    return count;
  }

  get internedNames(): readonly string[] {
    return this.records.internedNames;
  }

  intern(name: string): number {
    return this.records.intern(name);
  }

  /** Queues a timer whose name no pending one has. Returns its slot. Throws RangeError for a timer that is too large. */
  put(timer: DueCommand, number: number): number {
    this.records.assertFits(timer);
    const slot = this.takeSlot();
    return this.enter(slot, this.records.add(slot, timer), timer.dueAtUs, number);
  }

  /** Queues a timer by the body of its record. */
  putBody(body: Uint8Array, dueAtUs: number, number: number): number {
    const slot = this.takeSlot();
    return this.enter(slot, this.records.addBody(slot, body), dueAtUs, number);
  }

  /** Ends a pending timer. */
  remove(slot: number): void {
    this.byName.remove(slot);
    this.byNumber.remove(slot);
    const segment = this.segment(slot);
    const position = segment.positions[slot & MASK] as number;
    if (position === PARKED) this.parked -= 1;
    else this.unqueue(position);
    this.records.remove(segment.addresses[slot & MASK] as number);
    segment.positions[slot & MASK] = FREE;
    segment.addresses[slot & MASK] = this.firstFree;
    this.firstFree = slot;
  }

  /** A queued timer stays pending, and is not due any more. */
  park(slot: number): void {
    const segment = this.segment(slot);
    this.unqueue(segment.positions[slot & MASK] as number);
    segment.positions[slot & MASK] = PARKED;
    this.parked += 1;
  }

  /** A parked timer is queued again. */
  unpark(slot: number): void {
    this.parked -= 1;
    this.queued += 1;
    this.rise(this.queued - 1, slot);
  }

  /** The slot of the pending timer with the name; -1: there is none. */
  find(name: TimerName): number {
    const hash = this.hashOf(name);
    return this.byName.find(hash, (slot) => this.segment(slot).nameHashes[slot & MASK] === hash && this.records.is(this.addressOf(slot), name));
  }

  /** The slot of the pending timer with the number; -1: there is none. */
  findNumber(number: number): number {
    return this.byNumber.find(hashOfNumber(number), (slot) => this.numberOf(slot) === number);
  }

  isPending(slot: number): boolean {
    return this.segment(slot).positions[slot & MASK] !== FREE;
  }

  isParked(slot: number): boolean {
    return this.segment(slot).positions[slot & MASK] === PARKED;
  }

  dueOf(slot: number): number {
    return this.segment(slot).dueAtUs[slot & MASK] as number;
  }

  numberOf(slot: number): number {
    return this.segment(slot).numbers[slot & MASK] as number;
  }

  read(slot: number): PendingTimer {
    return { ...this.records.read(this.addressOf(slot)), dueAtUs: this.dueOf(slot), number: this.numberOf(slot) };
  }

  /** The body of its record, in place: to be used before the next change. */
  body(slot: number): Buffer {
    return this.records.body(this.addressOf(slot));
  }

  private enter(slot: number, address: number, dueAtUs: number, number: number): number {
    const segment = this.segment(slot);
    segment.dueAtUs[slot & MASK] = dueAtUs;
    segment.numbers[slot & MASK] = number;
    segment.addresses[slot & MASK] = address;
    segment.nameHashes[slot & MASK] = this.hashOfBody(this.records.body(address));
    this.byName.add(slot);
    this.byNumber.add(slot);
    this.queued += 1;
    this.rise(this.queued - 1, slot);
    return slot;
  }

  private takeSlot(): number {
    const free = this.firstFree;
    if (free !== NONE) {
      this.firstFree = this.segment(free).addresses[free & MASK] as number;
      return free;
    }
    if (this.usedSlots >>> SEGMENT_BITS === this.segments.length) this.segments.push(newSegment());
    this.usedSlots += 1;
    return this.usedSlots - 1;
  }

  private hashOf({ key, timerId }: TimerName): number {
    const mostBytes = (key.length + timerId.length) * 3;
    if (this.scratch.length < mostBytes) this.scratch = Buffer.alloc(mostBytes);
    const keyEnd = this.scratch.write(key, 0);
    return this.hashOfRange(this.scratch, 0, keyEnd + this.scratch.write(timerId, keyEnd));
  }

  private hashOfBody(body: Buffer): number {
    const [from, to] = nameIn(body);
    return this.hashOfRange(body, from, to);
  }

  private hashOfRange(bytes: Buffer, from: number, to: number): number {
    requestHash(this.seeds, 0, bytes, from, to);
    return lastHash.first >>> 0;
  }

  // ---- the heap ----

  private unqueue(position: number): void {
    this.queued -= 1;
    const last = this.slotAt(this.queued);
    if (position === this.queued) return;
    // The last one takes the place, and goes up or down from there.
    this.rise(position, last);
    this.sink(this.segment(last).positions[last & MASK] as number, last);
  }

  private rise(from: number, slot: number): void {
    let position = from;
    while (position > 0) {
      const parent = Math.floor((position - 1) / ARITY);
      const above = this.slotAt(parent);
      if (!this.isBefore(slot, above)) break;
      this.place(position, above);
      position = parent;
    }
    this.place(position, slot);
  }

  private sink(from: number, slot: number): void {
    let position = from;
    for (;;) {
      const firstChild = position * ARITY + 1;
      if (firstChild >= this.queued) break;
      let child = firstChild;
      let below = this.slotAt(child);
      for (let next = firstChild + 1; next < Math.min(firstChild + ARITY, this.queued); next += 1) {
        const sibling = this.slotAt(next);
        if (!this.isBefore(sibling, below)) continue;
        child = next;
        below = sibling;
      }
      if (!this.isBefore(below, slot)) break;
      this.place(position, below);
      position = child;
    }
    this.place(position, slot);
  }

  private isBefore(left: number, right: number): boolean {
    const byDue = this.dueOf(left) - this.dueOf(right);
    return byDue === 0 ? this.numberOf(left) < this.numberOf(right) : byDue < 0;
  }

  private place(position: number, slot: number): void {
    this.segment(position).heap[position & MASK] = slot;
    this.segment(slot).positions[slot & MASK] = position;
  }

  private slotAt(position: number): number {
    return this.segment(position).heap[position & MASK] as number;
  }

  private addressOf(slot: number): number {
    return this.segment(slot).addresses[slot & MASK] as number;
  }

  private segment(slot: number): Segment {
    return this.segments[slot >>> SEGMENT_BITS] as Segment;
  }
}

function newSegment(): Segment {
  return {
    dueAtUs: new Float64Array(SEGMENT_SLOTS),
    numbers: new Float64Array(SEGMENT_SLOTS),
    positions: new Uint32Array(SEGMENT_SLOTS),
    addresses: new Uint32Array(SEGMENT_SLOTS),
    nameHashes: new Uint32Array(SEGMENT_SLOTS),
    heap: new Uint32Array(SEGMENT_SLOTS),
  };
}

function hashOfNumber(number: number): number {
  return spread((number % 2 ** 32) ^ Math.floor(number / 2 ** 32));
}

/** The finalizer of MurmurHash3. */
function spread(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
