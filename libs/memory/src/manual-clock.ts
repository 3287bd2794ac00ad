/**
 * A clock whose time tests and the simulation own: it stands still until it is told to move. Timers fire in the order of
 * their due times (those of one moment in the order in which they were set), each at exactly its due time.
 */
import type { Clock } from '@sluice/ports';

interface PendingTimer {
  readonly dueUs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** 2026-01-01T00:00:00Z. */
const DEFAULT_START_US = 1_767_225_600_000_000;

export class ManualClock implements Clock {
  #nowUs: number;
  #order = 0;
  readonly #timers = new Set<PendingTimer>();

  constructor(startUs: number = DEFAULT_START_US) {
    this.#nowUs = startUs;
  }

  nowUs(): number {
    return this.#nowUs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer: PendingTimer = { dueUs: this.#nowUs + Math.max(0, Math.round(delayMs * 1000)), order: this.#order++, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Timers that were set and have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Moves the time on, firing what falls due on the way, timers set by timers included. */
  advance(milliseconds: number): void {
    const targetUs = this.#nowUs + Math.round(milliseconds * 1000);
    for (let timer = this.#takeDue(targetUs); timer !== undefined; timer = this.#takeDue(targetUs)) timer.callback();
    this.#nowUs = targetUs;
  }

  /** Like `advance`, but what a timer set in motion (promises, I/O that is ready) goes on before the next one fires. */
  async elapse(milliseconds: number): Promise<void> {
    const targetUs = this.#nowUs + Math.round(milliseconds * 1000);
    for (let timer = this.#takeDue(targetUs); timer !== undefined; timer = this.#takeDue(targetUs)) {
      timer.callback();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#nowUs = targetUs;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  /** Puts the time somewhere else, backwards too, as an operator might; fires nothing. */
  set(nowUs: number): void {
    this.#nowUs = nowUs;
  }

  #takeDue(targetUs: number): PendingTimer | undefined {
    let first: PendingTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueUs > targetUs) continue;
      if (first === undefined || timer.dueUs < first.dueUs || (timer.dueUs === first.dueUs && timer.order < first.order)) first = timer;
    }
    if (first !== undefined) {
      this.#timers.delete(first);
      this.#nowUs = Math.max(this.#nowUs, first.dueUs);
    }
    return first;
  }
}
