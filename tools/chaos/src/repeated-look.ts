/** A look that is taken again and again while a plan runs, so long after each other, until it is stopped. */
export class RepeatedLook {
  private stopped = false;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly everyMs: number,
    private readonly look: () => Promise<void>,
  ) {}

  start(): void {
    this.running = this.repeat();
  }

  /** Resolves when no look is under way any more. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async repeat(): Promise<void> {
    while (!this.stopped) {
      await this.look();
      await new Promise((resolve) => setTimeout(resolve, this.everyMs));
    }
  }
}
