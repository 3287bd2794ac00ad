/** One waiter, woken by whoever has news. News that nobody waits for is not kept: look before waiting. */
export class Wakeup {
  private waiting: Promise<void> | undefined;
  private resolve = (): void => undefined;

  wait(): Promise<void> {
    this.waiting ??= new Promise((resolve) => {
      this.resolve = resolve;
    });
    return this.waiting;
  }

  wake(): void {
    this.waiting = undefined;
    this.resolve();
  }
}
