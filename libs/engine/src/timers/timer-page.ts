/**
 * Pending timers of a partition in the order in which they are due, page by page, for people. A page goes through all slots in steps and keeps the first
 * timers behind the page before: that costs nothing between pages, and the event loop runs between two steps.
 */
import type { PendingTimer, TimerHeap } from './timer-heap';

const STEP_SLOTS = 4_096;

/** Where a page ends. */
export interface TimerPosition {
  readonly dueAtUs: number;
  readonly number: number;
}

export interface TimerFilter {
  readonly capability?: string;
  readonly key?: string;
  /** Only those of which it says true. */
  readonly matches?: (timer: PendingTimer) => boolean;
  readonly dueUntilUs?: number;
  readonly parkedOnly?: boolean;
  /** Only those behind it. */
  readonly after?: TimerPosition;
}

/** The first timers that fit; what is set or ends meanwhile may be in the page or not. `parked`: see TimerRoom. */
export async function pageOfTimers(heap: TimerHeap, filter: TimerFilter, limit: number): Promise<{ timer: PendingTimer; parked: boolean }[]> {
  const page: { timer: PendingTimer; parked: boolean }[] = [];
  for (let slot = 0; slot < heap.slots; slot += 1) {
    if (slot % STEP_SLOTS === STEP_SLOTS - 1) await new Promise<void>((resolve) => setImmediate(resolve));
    if (!heap.isPending(slot) || !mayFit(heap, slot, filter)) continue;
    const position = { dueAtUs: heap.dueOf(slot), number: heap.numberOf(slot) };
    const last = page.at(-1);
    if (page.length === limit && last !== undefined && !isBefore(position, last.timer)) continue;
    const timer = heap.read(slot);
    if (filter.capability !== undefined && timer.capability !== filter.capability) continue;
    if (filter.key !== undefined && timer.key !== filter.key) continue;
    if (filter.matches?.(timer) === false) continue;
    page.splice(placeOf(page, timer), 0, { timer, parked: heap.isParked(slot) });
    if (page.length > limit) page.pop();
  }
  return page;
}

function mayFit(heap: TimerHeap, slot: number, { dueUntilUs, after, parkedOnly }: TimerFilter): boolean {
  if (parkedOnly === true && !heap.isParked(slot)) return false;
  const dueAtUs = heap.dueOf(slot);
  if (dueUntilUs !== undefined && dueAtUs > dueUntilUs) return false;
  return after === undefined || isBefore(after, { dueAtUs, number: heap.numberOf(slot) });
}

function isBefore(left: TimerPosition, right: TimerPosition): boolean {
  return left.dueAtUs === right.dueAtUs ? left.number < right.number : left.dueAtUs < right.dueAtUs;
}

function placeOf(page: readonly { readonly timer: PendingTimer }[], timer: PendingTimer): number {
  let low = 0;
  let high = page.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore((page[middle] as { timer: PendingTimer }).timer, timer)) low = middle + 1;
    else high = middle;
  }
  return low;
}
