/**
 * Timers whose decision threw. A decision that throws costs the partition its memory, and would again after every load: so the steps of firing become
 * smaller until one timer is alone, and that one is not decided any more while this process owns the partition.
 *
 *   step of n threw ──▶ steps of n / 2 ──▶ … ──▶ a step of one threw: the timer is set aside
 *        ▲                 │ a step was decided: twice as many again
 *        └─────────────────┘
 */
import type { PendingTimer } from './timer-heap';

const MAXIMUM_SET_ASIDE = 10_000;

export class ThrowingTimers {
  private readonly setAside = new Map<number, { readonly timer: PendingTimer; readonly reason: string }>();
  private limit: number;

  constructor(private readonly largestStep: number) {
    this.limit = largestStep;
  }

  /** How many timers the next step may have. */
  get stepLimit(): number {
    return this.limit;
  }

  /** Why the timer is set aside; undefined: it is not. */
  reasonOf(timer: PendingTimer): string | undefined {
    const known = this.setAside.get(timer.number);
    // The number of a timer whose turn was lost may be another's now.
    return known !== undefined && isSame(known.timer, timer) ? known.reason : undefined;
  }

  /** The timer is tried again, alone: another one that throws with it would have to be found by further loads. */
  redriven({ number }: PendingTimer): void {
    if (this.setAside.delete(number)) this.limit = 1;
  }

  decided(): void {
    this.limit = Math.min(this.limit * 2, this.largestStep);
  }

  threw(timers: readonly PendingTimer[], error: unknown): void {
    const [timer] = timers;
    if (timers.length === 1 && timer !== undefined && this.setAside.size < MAXIMUM_SET_ASIDE)
      this.setAside.set(timer.number, { timer, reason: `its decision threw: ${error instanceof Error ? error.message : String(error)}` });
    this.limit = Math.max(1, Math.floor(timers.length / 2));
  }
}

function isSame(left: PendingTimer, right: PendingTimer): boolean {
  return left.capability === right.capability && left.key === right.key && left.timerId === right.timerId && left.dueAtUs === right.dueAtUs;
}
