/**
 * Bodies of outstanding deliveries to one target that are in memory: consecutive numbers from the oldest outstanding one on, within a bound of
 * bytes that all targets of a partition share. What lies beyond is read from the log again.
 */
import type { OwedDeliveries } from '@sluice/protocol';

/** What one commit owes to one target, by an event of it. */
export interface OwedPart extends OwedDeliveries {
  /** Of the commit. */
  readonly sequence: number;
  /** Of the commit; undefined: it was decided by this memory, and is found by its sequence. */
  readonly checksum?: Uint8Array;
}

/** Bytes that the windows of a partition hold together. */
export interface WindowBudget {
  bytes: number;
  readonly limitBytes: number;
}

/** Beside the bytes of a part. */
const PART_COST_BYTES = 200;
/** A window takes so much whatever the others hold: so every target can be sent something. */
const ALWAYS_BYTES = 2 << 20;

export function lastNumber({ firstNumber, count }: Pick<OwedDeliveries, 'firstNumber' | 'count'>): number {
  return firstNumber + count - 1;
}

export class OwedWindow {
  /** Highest number that is in memory; everything from the oldest outstanding one through it is. */
  through = 0;
  private parts: OwedPart[] = [];
  /** Index of the oldest part. */
  private head = 0;
  private bytes = 0;

  constructor(private readonly budget: WindowBudget) {}

  /** Takes the part if it continues the window and there is room. */
  offer(part: OwedPart): boolean {
    if (part.firstNumber > this.through + 1 || lastNumber(part) <= this.through || !this.hasRoom(part)) return false;
    this.parts.push(part);
    this.count(costOf(part));
    this.through = lastNumber(part);
    return true;
  }

  /** The part that holds the number; undefined: it is not in memory. */
  partOf(number: number): OwedPart | undefined {
    let low = this.head;
    let high = this.parts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (lastNumber(this.parts[middle] as OwedPart) < number) low = middle + 1;
      else high = middle;
    }
    const part = this.parts[low];
    return part !== undefined && part.firstNumber <= number ? part : undefined;
  }

  /** Those through the number are outstanding no more. */
  dropThrough(number: number): void {
    while (this.head < this.parts.length && lastNumber(this.parts[this.head] as OwedPart) <= number) {
      this.count(-costOf(this.parts[this.head] as OwedPart));
      this.head += 1;
    }
    this.through = Math.max(this.through, number);
    if (this.head === this.parts.length || this.head > 1_024) {
      this.parts = this.parts.slice(this.head);
      this.head = 0;
    }
  }

  private hasRoom(part: OwedPart): boolean {
    const { budget } = this;
    return this.bytes + costOf(part) <= ALWAYS_BYTES || budget.bytes + costOf(part) <= budget.limitBytes;
  }

  private count(bytes: number): void {
    this.bytes += bytes;
    this.budget.bytes += bytes;
  }
}

function costOf({ bytes }: OwedPart): number {
  return bytes.length + PART_COST_BYTES;
}
