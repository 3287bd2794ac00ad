/**
 * A clock for promises of seconds on a machine that others load: it stands still while this process is not run.
 *
 * The test measures in its own process, beside the services and with their priority. Where the machine does not run the test it may not run the services,
 * and what they would have done meanwhile is unknown. So of each step between two ticks only the length counts that a step has on a machine that
 * keeps up. On such a machine this is the monotonic time.
 */
const TICK_MS = 10;
const LONGEST_STEP_MS = 100;

export class UnstalledClock {
  private countedMs = 0;
  private lastMs: number;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly monotonicMs: () => number = () => performance.now()) {
    this.lastMs = monotonicMs();
    this.timer = setInterval(() => this.nowMs(), TICK_MS);
    this.timer.unref();
  }

  nowMs(): number {
    const nowMs = this.monotonicMs();
    this.countedMs += Math.min(nowMs - this.lastMs, LONGEST_STEP_MS);
    this.lastMs = nowMs;
    return this.countedMs;
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
