/** What a queue knows of a type and of a key: how many attempts are under way, and what waits. */
import type { TypeLimits } from './queue-limits';
import { isSameRate, RateWindow, type RateLimit } from './rate-window';
import { ReadyHeap } from './ready-heap';

/** Attempts under way against a maximum, and starts against a rate. */
export class StartGate {
  running = 0;
  private window: RateWindow | undefined;

  constructor(
    private maximumRunning: number,
    rate: RateLimit | undefined,
  ) {
    this.window = rate && new RateWindow(rate);
  }

  limitTo(maximumRunning: number, rate: RateLimit | undefined): void {
    this.maximumRunning = maximumRunning;
    if (isSameRate(this.window?.limit, rate)) return;
    this.window = rate && new RateWindow(rate);
  }

  get isFull(): boolean {
    return this.maximumRunning > 0 && this.running >= this.maximumRunning;
  }

  /** When its rate allows the next start, microseconds; 0: at once. */
  openAtUs(nowUs: number): number {
    return this.window?.openAtUs(nowUs) ?? 0;
  }

  started(atUs: number): void {
    this.running += 1;
    this.window?.started(atUs);
  }

  isIdle(nowUs: number): boolean {
    return this.running === 0 && (this.window?.isIdle(nowUs) ?? true);
  }

  recordedStarts(): readonly number[] {
    return this.window?.recorded() ?? [];
  }

  restoreStarts(starts: readonly number[]): void {
    for (const atUs of starts) this.window?.started(atUs);
  }
}

export class TypeLane {
  readonly gate: StartGate;
  /** What may be started next: tasks without a key, and the first ones of keys. */
  readonly ready = new ReadyHeap();
  /** Tasks of the type that have not ended. */
  live = 0;

  constructor(
    readonly name: string,
    { maximumRunning, rate }: TypeLimits,
  ) {
    this.gate = new StartGate(maximumRunning, rate);
  }
}

export class KeyLane {
  readonly gate: StartGate;
  readonly ready = new ReadyHeap();
  /** Tasks of the key that have not ended. */
  live = 0;
  /** The one that stands in the heap of its type; 0: none. */
  offered = 0;

  constructor(
    readonly key: string,
    maximumRunning: number,
    rate: RateLimit | undefined,
  ) {
    this.gate = new StartGate(maximumRunning, rate);
  }
}
