/** Whether a service that runs can do its work. Its health says NOT_SERVING while it cannot; calls are answered all the same. */
export class Readiness {
  private readonly listeners = new Set<(ready: boolean) => void>();
  private current = true;

  get ready(): boolean {
    return this.current;
  }

  set(ready: boolean): void {
    if (ready === this.current) return;
    this.current = ready;
    for (const listener of this.listeners) listener(ready);
  }

  /** Calls back now and with every change. */
  follow(listener: (ready: boolean) => void): void {
    this.listeners.add(listener);
    listener(this.current);
  }
}
