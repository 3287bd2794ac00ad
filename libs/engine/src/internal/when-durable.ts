/** Waits in a turn for its commit and does something then, like handing a task to a worker. If the turn is lost it never happened. */
import type { Submission } from '../capability';

export class WhenDurable implements Submission {
  readonly commandCount = 0;
  readonly sizeBytes = 0;
  readonly recordBytes = 0;

  /** @param handOut must not throw. */
  constructor(private readonly handOut: () => void) {}

  /** It joined when the turn was decided. */
  decide(): void {}

  settle(): void {
    this.handOut();
  }

  fail(): void {}
}
