/**
 * How long a call may wait for the read store, so that it is answered before its deadline. What is kept back for the answer grows with how late the
 * waits of this call and of others were over, because that shows how busy the machine is.
 */
import type { Clock } from '@sluice/ports';
import { type CallContext, keptBackMs, type RecentLateness } from '@sluice/service';

/** How long a call without a deadline waits. */
const DEFAULT_WAIT_MS = 5_000;

export class AnswerWait {
  private readonly beganMs: number;
  private readonly deadlineMs: number;

  constructor(
    private readonly clock: Clock,
    private readonly lateness: RecentLateness,
    call: CallContext,
  ) {
    this.beganMs = clock.monotonicMs();
    // Deadlines are counted by the machine's clock.
    this.deadlineMs = Number.isFinite(call.deadlineMs) ? this.beganMs + call.deadlineMs - Date.now() : Number.POSITIVE_INFINITY;
  }

  /** Milliseconds for which it may still wait; 0: the call is to be answered now. */
  get leftMs(): number {
    const nowMs = this.clock.monotonicMs();
    if (this.deadlineMs === Number.POSITIVE_INFINITY) return Math.max(0, this.beganMs + DEFAULT_WAIT_MS - nowMs);
    const keptMs = keptBackMs(this.deadlineMs - this.beganMs, this.lateness.at(nowMs));
    return Math.max(0, this.deadlineMs - keptMs - nowMs);
  }

  /** The outcome of the work; undefined where the wait is over before. */
  async within<Result>(work: Promise<Result>): Promise<Result | undefined> {
    const { leftMs } = this;
    let cancel = (): void => undefined;
    const over = new Promise<undefined>((resolve) => {
      const dueMs = this.clock.monotonicMs() + leftMs;
      cancel = this.clock.after(leftMs, () => {
        this.noteLateness(dueMs);
        resolve(undefined);
      });
    });
    return Promise.race([work, over]).finally(() => cancel());
  }

  private noteLateness(dueMs: number): void {
    const nowMs = this.clock.monotonicMs();
    this.lateness.note(nowMs - dueMs, nowMs);
  }
}
