/** Pauses between attempts: doubled from the first failure on, up to a bound, and over with the first success. */
import type { Clock } from '@sluice/ports';
import { FIRST_PAUSE_MS, LONGEST_PAUSE_MS } from './limits';

export class BackOff {
  /** Failures since the last success. */
  failures = 0;
  private cancel: (() => void) | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly over: () => void,
  ) {}

  get pausing(): boolean {
    return this.cancel !== undefined;
  }

  failed(): void {
    this.failures += 1;
    if (this.cancel !== undefined) return;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.failures - 1, 16));
    this.cancel = this.clock.after(pauseMs, () => {
      this.cancel = undefined;
      this.over();
    });
  }

  succeeded(): void {
    this.failures = 0;
  }

  /** Ends a pause now. */
  end(): void {
    this.cancel?.();
    this.cancel = undefined;
  }
}
