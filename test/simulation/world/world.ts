/**
 * One simulated deployment's surroundings: time, chance, faults, hosts and what happened.
 */
import { CALM, drawFaultPlan, type FaultPlan } from './fault-plan';
import { Random } from './random';
import { Timeline } from './timeline';
import { Trace } from './trace';

export class World {
  readonly timeline = new Timeline();
  readonly random: Random;
  readonly trace: Trace;
  faults: FaultPlan;
  /** Breaches of invariants, in the order in which they were found. */
  readonly breaches: string[] = [];

  constructor(seed: number, options: { readonly traceEverything?: boolean } = {}) {
    this.random = new Random(seed);
    this.trace = new Trace(() => this.timeline.nowUs, options.traceEverything ?? false);
    this.faults = drawFaultPlan(this.random.fork('fault plan'));
  }

  get isCalm(): boolean {
    return this.faults === CALM;
  }

  /** No faults from here on. */
  calmDown(): void {
    this.faults = CALM;
  }

  breach(what: string): void {
    this.breaches.push(what);
    this.trace.note('BREACH', what);
  }
}
