/**
 * A clock whose time tests and the simulation own: it stands still until it is told to move. Timers fire in the order of
 * their due times (those of one moment in the order in which they were set), each at exactly its due time. Like the machine's
 * timers they follow the time that has passed, not the time of day that `set` changes.
 */
import type { Clock } from '@sluice/ports';

interface PendingTimer {
  /** On the time that has passed. */
  readonly dueUs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** 2026-01-01T00:00:00Z. */
const DEFAULT_START_US = 1_767_225_600_000_000;

export class ManualClock implements Clock {
  /** The time that has passed since the clock was made. */
  #passedUs = 0;
  /** The time of day at that moment, as it is told now. */
  #startUs: number;
  #order = 0;
  readonly #timers = new Set<PendingTimer>();

  constructor(startUs: number = DEFAULT_START_US) {
    this.#startUs = startUs;
  }

  nowUs(): number {
    return this.#startUs + this.#passedUs;
  }

  monotonicMs(): number {
    return this.#passedUs / 1000;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer: PendingTimer = { dueUs: this.#passedUs + Math.max(0, Math.round(delayMs * 1000)), order: this.#order++, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Timers that were set and have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Moves the time on, firing what falls due on the way, timers set by timers included. */
  advance(milliseconds: number): void {
    const targetUs = this.#passedUs + Math.round(milliseconds * 1000);
    for (let timer = this.#takeDue(targetUs); timer !== undefined; timer = this.#takeDue(targetUs)) timer.callback();
    this.#passedUs = targetUs;
  }

  /** Like `advance`, but what a timer set in motion (promises, I/O that is ready) goes on before the next one fires. */
  async elapse(milliseconds: number): Promise<void> {
    const targetUs = this.#passedUs + Math.round(milliseconds * 1000);
    for (let timer = this.#takeDue(targetUs); timer !== undefined; timer = this.#takeDue(targetUs)) {
      timer.callback();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#passedUs = targetUs;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  /** Puts the time of day somewhere else, backwards too, as an operator might. Timers do not notice. */
  set(nowUs: number): void {
    this.#startUs = nowUs - this.#passedUs;
  }

  #takeDue(targetUs: number): PendingTimer | undefined {
    let first: PendingTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueUs > targetUs) continue;
      if (first === undefined || timer.dueUs < first.dueUs || (timer.dueUs === first.dueUs && timer.order < first.order)) first = timer;
    }
    if (first !== undefined) {
      this.#timers.delete(first);
      this.#passedUs = Math.max(this.#passedUs, first.dueUs);
    }
    return first;
  }
}
