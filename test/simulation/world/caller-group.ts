/** The callers of a workload, which all follow one script, each on a host of its own. */
import { describe } from './cluster';
import type { Callers, Deployment } from './deployment';

export class CallerGroup {
  readonly members: readonly Callers[];
  #done = 0;

  /** @param name of one of them, like "payer". */
  constructor(
    private readonly deployment: Deployment,
    private readonly name: string,
    size: number,
  ) {
    this.members = Array.from({ length: size }, (_, number) => deployment.callers(`${name}-${number + 1}`));
  }

  get done(): boolean {
    return this.#done === this.members.length;
  }

  /** "2 of 3 payers done". */
  get progress(): string {
    return `${this.#done} of ${this.members.length} ${this.name}s done`;
  }

  /** Lets each of them follow the script. One that cannot go on is a breach. */
  begin(script: (callers: Callers, number: number) => Promise<void>): void {
    for (const [number, callers] of this.members.entries()) {
      script(callers, number).then(
        () => (this.#done += 1),
        (error: unknown) => this.deployment.world.breach(`${callers.life.name} gives up: ${describe(error)}`),
      );
    }
  }
}
