/**
 * How many partitions of a process are loaded at a time. Each holds pages of the log in memory, and those that come first serve the sooner;
 * the others wait in order.
 */
const LOADS_AT_ONCE = 4;

export class LoadSlots {
  private free = LOADS_AT_ONCE;
  private readonly waiting: (() => void)[] = [];

  async run<Result>(load: () => Promise<Result>): Promise<Result> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await load();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.free += 1;
      else next();
    }
  }
}
