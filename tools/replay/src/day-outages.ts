/** Kills the command service in the middle of ends of day: of each chosen day at one step, the steps in turn. */
import { pause, type KillableService } from './task-outages';

/** Steps of an end of day at which a service is killed. */
export const KNOWN_STEPS = ['CUT', 'ROLL', 'INTEREST', 'BEGIN'] as const;
export type KnownStep = (typeof KNOWN_STEPS)[number];

const KILLS_OF_STEP = 3;
const AWAY_MS = 300;

export class DayOutages {
  private readonly doneByStep = new Map<KnownStep, number>();
  private readonly killedDates = new Set<string>();
  private under: Promise<void> = Promise.resolve();
  private failure: { readonly error: unknown } | undefined;

  /** @param days how many are replayed. */
  constructor(
    private readonly service: KillableService,
    private readonly days: number,
  ) {}

  get kills(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.doneByStep);
  }

  /** Whether the service is not, or no more, to be killed on the day. */
  isOver(dayNumber: number, date: string): boolean {
    return stepOfOutage(dayNumber, this.days) === undefined || this.killedDates.has(date);
  }

  /** A branch is at this step of a day, or was a moment ago while others are. Throws if the service did not come back. */
  seen(dayNumber: number, date: string, step: KnownStep): void {
    if (this.failure !== undefined) throw this.failure.error;
    if (stepOfOutage(dayNumber, this.days) !== step || this.killedDates.has(date)) return;
    this.killedDates.add(date);
    this.under = this.under
      .then(() => this.kill())
      .then(
        () => void this.doneByStep.set(step, (this.doneByStep.get(step) ?? 0) + 1),
        (error: unknown) => {
          this.failure ??= { error };
        },
      );
  }

  /** Resolves when the service is there to stay. */
  async over(): Promise<void> {
    await this.under;
    if (this.failure !== undefined) throw this.failure.error;
  }

  private async kill(): Promise<void> {
    await this.service.kill();
    await pause(AWAY_MS);
    await this.service.start();
  }
}

/** @returns at which step of the day the service is killed; undefined: at none. */
export function stepOfOutage(dayNumber: number, days: number): KnownStep | undefined {
  const everyDays = Math.max(1, Math.floor(days / (KILLS_OF_STEP * KNOWN_STEPS.length)));
  if (dayNumber % everyDays !== everyDays - 1) return undefined;
  return KNOWN_STEPS[Math.floor(dayNumber / everyDays) % KNOWN_STEPS.length];
}
