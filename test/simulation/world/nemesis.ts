/**
 * Strikes the deployment at random moments: crashes, orderly stops, pauses and cut links, as often as the plan says.
 */
import type { Cluster, Instance } from './cluster';
import type { World } from './world';

const LONGEST_PAUSE_US = 4_000_000;
const LONGEST_CUT_US = 4_000_000;

export class Nemesis {
  #active = true;
  readonly #ends = new Set<() => void>();

  constructor(
    private readonly world: World,
    private readonly cluster: Cluster,
  ) {
    const { crashEveryUs, pauseEveryUs, cutEveryUs } = world.faults;
    const random = world.random.fork('nemesis');
    this.#every(crashEveryUs, (instance) => {
      if (random.chance(0.3)) cluster.stopInOrder(instance);
      else cluster.crash(instance);
    });
    this.#every(pauseEveryUs, ({ life, name }) => {
      world.trace.note(name, 'is paused');
      life.pause();
      this.#later(random.below(LONGEST_PAUSE_US), () => {
        world.trace.note(name, 'goes on');
        life.resume();
      });
    });
    this.#every(cutEveryUs, ({ life, name }) => {
      world.trace.note(name, 'is cut off');
      life.cut = true;
      this.#later(random.below(LONGEST_CUT_US), () => {
        world.trace.note(name, 'is connected again');
        life.cut = false;
      });
    });
  }

  /** Ends every strike: pauses go on, links are whole. */
  stop(): void {
    this.#active = false;
    for (const end of this.#ends) end();
    this.#ends.clear();
  }

  #every(meanUs: number, strike: (instance: Instance) => void): void {
    if (meanUs === 0) return;
    const random = this.world.random.fork(`strikes every ${meanUs}`);
    const next = (): void => {
      this.world.timeline.schedule(random.latencyUs(1_000, meanUs), () => {
        if (!this.#active) return;
        strike(random.pick(this.cluster.instances));
        next();
      });
    };
    next();
  }

  #later(delayUs: number, end: () => void): void {
    this.#ends.add(end);
    this.world.timeline.schedule(delayUs, () => {
      if (this.#ends.delete(end)) end();
    });
  }
}
