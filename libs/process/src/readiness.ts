/**
 * Whether the process serves, as its health says: when everything is open and there is no problem. Problems have names, so that each is ended by
 * what reported it.
 */
export class Readiness {
  private readonly problems = new Map<string, string>();
  private changed = (_ready: boolean): void => undefined;

  /** Tells now and at every change whether the process is ready. */
  follow(changed: (ready: boolean) => void): void {
    this.changed = changed;
    changed(this.problems.size === 0);
  }

  /** @param what in words; undefined: the problem is over. */
  report(name: string, what: string | undefined): void {
    if (what === undefined) this.problems.delete(name);
    else this.problems.set(name, what);
    this.changed(this.problems.size === 0);
  }
}
