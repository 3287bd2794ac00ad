/**
 * One life of a process on a host: from its start to its crash or stop. Whatever the process asks of the world goes through `io`: a request
 * that has left arrives although the process dies meanwhile; an answer reaches only a process that still lives. A paused process gets its
 * answers and timers when it goes on. So a crash or pause falls between any two steps of the program that await something outside.
 */
import type { Clock } from '@sluice/ports';
import { START_US } from './globals';
import type { Random } from './random';
import type { World } from './world';

export interface Latency {
  /** Until the request arrives. */
  readonly thereUs: number;
  /** Until the answer arrives. */
  readonly backUs: number;
}

export class Life {
  alive = true;
  /** True: the process cannot reach the network (log, stores, bus, leases, other hosts). */
  cut = false;
  readonly clock: Clock;
  readonly random: Random;
  readonly #startedAtUs: number;
  #paused = false;
  #held: (() => void)[] = [];

  constructor(
    readonly world: World,
    readonly name: string,
    /** How far the host's clock is ahead of true time, microseconds. */
    private readonly skewUs: number,
    private readonly number = 1,
  ) {
    this.#startedAtUs = world.timeline.nowUs;
    this.random = world.random.fork(`life ${number} of ${name}`);
    this.clock = {
      nowUs: () => START_US + world.timeline.nowUs + this.skewUs,
      // Counts from the start of the process, whatever the wall clock says.
      monotonicMs: () => (world.timeline.nowUs - this.#startedAtUs) / 1_000,
      // Never early: who waits for the rest of a deadline would wait again for nothing, and no time would pass.
      after: (delayMs, callback) => world.timeline.schedule(Math.ceil(delayMs * 1_000), () => this.continue(callback)),
    };
  }

  /** The life after this one: the host keeps its clock. */
  next(): Life {
    return new Life(this.world, this.name, this.skewUs, this.number + 1);
  }

  /** Nothing of it goes on. */
  end(): void {
    this.alive = false;
    this.#held = [];
  }

  get paused(): boolean {
    return this.#paused;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    const held = this.#held;
    this.#held = [];
    for (const run of held) run();
  }

  /** Runs the callback if the process lives; when it is paused, as soon as it goes on. */
  continue(run: () => void): void {
    if (!this.alive) return;
    if (this.#paused) this.#held.push(run);
    else run();
  }

  /**
   * Asks something outside the process. `perform` runs when the request arrives; its result or error travels back. A request from a process
   * that is cut off fails after a while without arriving.
   */
  io<Result>(latency: Latency, perform: () => Result | Promise<Result>): Promise<Result> {
    const { timeline } = this.world;
    return new Promise<Result>((resolve, reject) => {
      if (!this.alive) return;
      if (this.cut) {
        timeline.schedule(latency.thereUs + latency.backUs, () => this.continue(() => reject(new Error(`${this.name} is cut off`))));
        return;
      }
      timeline.schedule(latency.thereUs, () => {
        const back = (settle: () => void): void => void timeline.schedule(latency.backUs, () => this.continue(settle));
        void (async () => perform())().then(
          (result) => back(() => resolve(result)),
          (error: Error) => back(() => reject(error)),
        );
      });
    });
  }

  /** Latencies of a call to a server in the same network. */
  networkLatency(): Latency {
    const { networkUs } = this.world.faults;
    return { thereUs: this.random.latencyUs(20, networkUs), backUs: this.random.latencyUs(20, networkUs) };
  }

  diskLatency(): Latency {
    const { diskUs, networkUs } = this.world.faults;
    return { thereUs: this.random.latencyUs(20, networkUs) + this.random.latencyUs(20, diskUs), backUs: this.random.latencyUs(20, networkUs) };
  }
}
