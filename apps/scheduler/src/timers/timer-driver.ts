/**
 * Asks owners to fire what is due. It sleeps until the first timer of all partitions is due; so a million that wait cost nothing.
 *
 * Clocks differ: a partition is asked when a timer is due by the clock of this process or by that of its owner. The owner fires what is due by its own
 * clock, keeps what comes early, and takes what is asked twice for once. So two schedulers that both act, as may happen for a moment, do no harm.
 *
 *   partition   quiet ──due──▶ asked ──answered, later ones wait──▶ quiet
 *                 ▲              ├──kept, not due by its owner's clock──▶ asked again a little after it should have fired
 *                 │              └──failed, or nothing fired──▶ asked again after a pause that grows
 *                 └──another owner──
 */
import type { Clock } from '@sluice/ports';
import { logpb } from '@sluice/protocol';
import type { Logger } from '@sluice/telemetry';
import type { CommandInstance } from '../owners/command-instances';
import type { DueWatch, WatchedPartition } from './due-watch';

/** Clocks of day may be set while it sleeps: it looks at them so often, while timers wait. */
const LONGEST_SLEEP_MS = 1_000;
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 5_000;
/** How long after its time a timer that the owner kept is asked for again. */
const KEPT_MS = 200;

export interface TimerDriverOptions {
  readonly watch: DueWatch;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether this scheduler is the one that acts. */
  readonly acts: () => boolean;
}

interface Asking {
  underWay: boolean;
  failures: number;
  /** Not before then, by the time that has passed. */
  fromMs: number;
}

export class TimerDriver {
  /** By instance and partition: pauses grow although an owner loads its partition anew after each failure. */
  private readonly asked = new WeakMap<CommandInstance, Map<number, Asking>>();
  private scheduled = false;
  private closed = false;
  private cancelSleep = (): void => undefined;

  constructor(private readonly options: TimerDriverOptions) {}

  /** Something has changed: looks at it in the next round of the event loop. */
  readonly wake = (): void => {
    if (this.scheduled || this.closed) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.drive();
    });
  };

  close(): void {
    this.closed = true;
    this.cancelSleep();
  }

  private readonly drive = (): void => {
    const { watch, clock, acts } = this.options;
    this.cancelSleep();
    if (this.closed || !acts()) return;
    const nowMs = clock.monotonicMs();
    let sleepMs = Number.POSITIVE_INFINITY;
    for (const partition of watch.partitions()) {
      const asking = this.askingOf(partition);
      if (partition.earliestDueUs === undefined || asking.underWay) continue;
      const waitMs = Math.max((partition.earliestDueUs - this.nowUs(partition)) / 1_000, asking.fromMs - nowMs);
      if (waitMs <= 0) void this.ask(partition, asking, partition.earliestDueUs);
      else sleepMs = Math.min(sleepMs, waitMs);
    }
    // Rounded up: a wake-up that is early would have to be repeated.
    if (sleepMs !== Number.POSITIVE_INFINITY) this.cancelSleep = clock.after(Math.min(Math.ceil(sleepMs), LONGEST_SLEEP_MS), this.drive);
  };

  /** The later of the two clocks. */
  private nowUs({ instance }: WatchedPartition): number {
    return this.options.clock.nowUs() + Math.max(0, this.options.watch.aheadUs(instance));
  }

  private async ask(watched: WatchedPartition, asking: Asking, dueUs: number): Promise<void> {
    const { logger } = this.options;
    const { instance, partition, told } = watched;
    const upToUs = Math.max(dueUs, this.nowUs(watched));
    asking.underWay = true;
    try {
      const response = await instance.calls.unary(
        logpb.TimerServiceService.fire,
        { partition, upToUs: BigInt(upToUs) },
        partition,
        // A peer that falls silent is noticed by its connection.
        Number.POSITIVE_INFINITY,
      );
      this.learn(watched, asking, upToUs, response, told);
    } catch (error) {
      logger.debug({ error, partition, instance: instance.id }, 'timers that are due were not fired; their owner is asked again');
      this.retryLater(asking);
    }
    asking.underWay = false;
    this.wake();
  }

  private learn(watched: WatchedPartition, asking: Asking, upToUs: number, { state, nowUs }: logpb.FireResponse, told: number): void {
    const { clock } = this.options;
    if (state === undefined || !state.served) return this.retryLater(asking);
    const earliestUs = state.earliestDueUs === 0n ? undefined : Number(state.earliestDueUs);
    // What the stream said meanwhile may be newer.
    if (watched.told === told) watched.earliestDueUs = earliestUs;
    if (earliestUs === undefined || earliestUs > upToUs) {
      asking.failures = 0;
      asking.fromMs = 0;
      return undefined;
    }
    const earlyMs = (earliestUs - Number(nowUs)) / 1_000;
    if (earlyMs <= 0) return this.retryLater(asking);
    asking.failures = 0;
    asking.fromMs = clock.monotonicMs() + earlyMs + KEPT_MS;
    return undefined;
  }

  private retryLater(asking: Asking): void {
    asking.fromMs = this.options.clock.monotonicMs() + Math.min(FIRST_RETRY_MS * 2 ** asking.failures, LONGEST_RETRY_MS);
    asking.failures += 1;
  }

  private askingOf({ instance, partition }: WatchedPartition): Asking {
    const ofInstance = this.asked.get(instance) ?? new Map<number, Asking>();
    this.asked.set(instance, ofInstance);
    const asking = ofInstance.get(partition) ?? { underWay: false, failures: 0, fromMs: 0 };
    ofInstance.set(partition, asking);
    return asking;
  }
}
