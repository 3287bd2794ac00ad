/**
 * Tells calls in time that their deadline is near, so that each is answered with what it waits for instead of with a bare DEADLINE_EXCEEDED.
 * One timer serves all calls: a timer per call would cost more than deciding a posting.
 *
 * A call belongs to the tick in which it has to be answered. Ticks pass while there are calls.
 */
import type { Clock } from '@sluice/ports';
import { keptBackMs, RecentLateness } from './answer-time';

const TICK_MS = 25;
/** Of what is kept back for the answer: a handler that knows better what it waits for refuses before that. */
const LAST_SHARE = 0.5;
/** A call with less time than this is left to its deadline. */
const SHORTEST_MS = 100;

type Late = () => void;

export class AnswerDeadlines {
  private readonly ticks = new Map<number, Set<Late>>();
  private readonly lateness = new RecentLateness();
  private calls = 0;
  private lastTick = 0;
  private isTicking = false;

  constructor(private readonly clock: Clock) {}

  /**
   * Runs `late` when the call has to be answered now. Returns how to withdraw the call; undefined: it is not watched.
   * @param leftMs until its deadline.
   */
  watch(leftMs: number, late: Late): (() => void) | undefined {
    if (!(leftMs >= SHORTEST_MS && leftMs < Number.POSITIVE_INFINITY)) return undefined;
    const nowMs = this.clock.monotonicMs();
    const tick = tickAt(nowMs + leftMs - keptBackMs(leftMs, this.lateness.at(nowMs)) * LAST_SHARE);
    let due = this.ticks.get(tick);
    if (due === undefined) this.ticks.set(tick, (due = new Set()));
    due.add(late);
    this.calls += 1;
    if (!this.isTicking) {
      this.lastTick = tickAt(nowMs);
      this.scheduleTick();
    }
    const ofTick = due;
    return () => {
      if (!ofTick.delete(late)) return;
      this.calls -= 1;
      if (ofTick.size === 0) this.ticks.delete(tick);
    };
  }

  private scheduleTick(): void {
    this.isTicking = true;
    const dueMs = this.clock.monotonicMs() + TICK_MS;
    this.clock.after(TICK_MS, () => {
      const nowMs = this.clock.monotonicMs();
      this.lateness.note(nowMs - dueMs, nowMs);
      this.pass(tickAt(nowMs));
      this.isTicking = false;
      if (this.calls > 0) this.scheduleTick();
    });
  }

  /** Runs what is due up to the tick. */
  private pass(tick: number): void {
    while (this.lastTick < tick) {
      this.lastTick += 1;
      const due = this.ticks.get(this.lastTick);
      if (due === undefined) continue;
      this.ticks.delete(this.lastTick);
      const calls = [...due];
      due.clear();
      this.calls -= calls.length;
      for (const late of calls) late();
    }
  }
}

function tickAt(ms: number): number {
  return Math.floor(ms / TICK_MS);
}
