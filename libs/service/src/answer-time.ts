/**
 * How much of a call's time is kept back for its answer. An answer that leaves at the deadline comes too late: the caller then sees a bare
 * DEADLINE_EXCEEDED, which does not say what was awaited. On a busy machine timers fire late and messages wait for their turn, so the share is
 * generous, and grows with how late timers were.
 */

const SHARE = 0.2;
const LEAST_MS = 50;
const MOST_MS = 1_000;
/** A lateness is told twice: here, and at the caller, whose machine is as busy as a rule. */
const LATENESS_COUNTS = 2;
/** At least this share of the time is for waiting. */
const WAITING_SHARE = 0.5;

/**
 * Milliseconds to keep back of what is left until the deadline.
 * @param latenessMs how late timers have fired lately.
 */
export function keptBackMs(leftMs: number, latenessMs: number): number {
  const share = Math.min(MOST_MS, Math.max(LEAST_MS, leftMs * SHARE));
  return Math.max(0, Math.min(share + LATENESS_COUNTS * latenessMs, leftMs * (1 - WAITING_SHARE)));
}

/** A lateness counts for so long. */
const REMEMBERED_MS = 10_000;

/** The largest lateness of the last ten seconds. */
export class RecentLateness {
  private largestMs = 0;
  private seenAtMs = Number.NEGATIVE_INFINITY;

  note(latenessMs: number, nowMs: number): void {
    if (latenessMs < this.at(nowMs)) return;
    this.largestMs = Math.max(0, latenessMs);
    this.seenAtMs = nowMs;
  }

  at(nowMs: number): number {
    return nowMs - this.seenAtMs <= REMEMBERED_MS ? this.largestMs : 0;
  }
}
