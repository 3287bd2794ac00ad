/**
 * How much of a full turn is taken from a contended queue: what the process can do while a commit is appended. A larger turn only makes everything that
 * waits, and the answers of the turn before, wait longer. A smaller one would wait for the log, and a slow log would take less and less.
 *
 * How long an append takes is what the log says of it, not when the event loop hears of it: that is late by as much as turns are long, so that long turns
 * would seem to need long turns.
 *
 * Where a commit takes 4 ms and a command 1 µs, that is 500 commands instead of 10,000; where a commit takes 80 ms it is a full turn.
 */

/** The least part of a turn. */
const LEAST = 1 / 32;
/** Deciding is so much of what a command costs the process: it is read, projected and answered, too. */
const DECIDING = 1 / 8;
/** How much a new measurement counts. */
const NEW = 1 / 8;

export class TurnPace {
  /** Smoothed; 0: not known. */
  private commandUs = 0;
  private appendUs = 0;

  /** @param fullTurn commands of a full turn. */
  constructor(private readonly fullTurn: number) {}

  /** Part of a full turn; 1 while nothing is known. */
  get share(): number {
    if (this.commandUs === 0 || this.appendUs === 0) return 1;
    const commands = (this.appendUs / this.commandUs) * DECIDING;
    return Math.min(1, Math.max(LEAST, commands / this.fullTurn));
  }

  /** A turn was decided. */
  decided(commands: number, durationUs: number): void {
    if (commands > 0) this.commandUs = smoothed(this.commandUs, durationUs / commands);
  }

  /** Its commit became durable. @param durationUs without the delay of the event loop, where the log says so. */
  appended(durationUs: number): void {
    this.appendUs = smoothed(this.appendUs, durationUs);
  }
}

/** A clock that was set back measures nothing. */
function smoothed(before: number, measured: number): number {
  if (measured < 0) return before;
  return before === 0 ? measured : before + (measured - before) * NEW;
}
