/** What a workload gets: the deployment, and a host from which its callers call. */
import type { Cluster, InstanceKind } from './cluster';
import { Life } from './life';
import { CallFailed } from './call-failed';
import type { Exchange, StreamListener } from './exchange';
import type { Random } from './random';
import type { RunPlan } from './run-plan';
import { SimulatedChannel } from './simulated-channel';
import type { World } from './world';

/** How long a caller waits for one answer. */
const ATTEMPT_LIMIT_MS = 1_000;
const FIRST_PAUSE_US = 5_000;
const LONGEST_PAUSE_US = 500_000;
/** The projector may be behind: a read that does not show what it should is made again after this time, so many times. */
const READ_AGAIN_US = 250_000;
const MOST_READS = 40;

export interface Workload {
  /** Starts the callers. */
  begin(): void;
  /** Every caller has all its verdicts. */
  readonly done: boolean;
  /** For people: how far the callers are. */
  readonly progress: string;
  /** Judges the calm deployment; reports breaches to the world. */
  judge(): Promise<void>;
}

export class Deployment {
  constructor(
    readonly world: World,
    readonly cluster: Cluster,
    private readonly plan: RunPlan,
  ) {}

  /** How many of so many rounds of its script a caller goes through in this run; at least one. */
  partOf(rounds: number): number {
    return Math.max(1, Math.round(rounds * this.plan.share));
  }

  /** Looks every so often; resolves when the log has grown since this was asked. */
  async growth(lookUs: number): Promise<void> {
    const before = this.#logSize;
    do await this.world.timeline.pass(lookUs);
    while (this.#logSize === before);
  }

  get #logSize(): number {
    return this.cluster.log.partitions.reduce((commits, { length }) => commits + length, 0);
  }

  /** A process of its own beside the deployment, which may crash; chance and time are those of the seed. */
  process(name: string): Life {
    return new Life(this.world, name, 0);
  }

  /** Opens a stream of both directions to a random instance of the kind. */
  exchange(from: Life, kind: InstanceKind, path: string, listener: StreamListener): Exchange {
    return this.cluster.network.exchange(from, this.#anyOf(from, kind), path, listener);
  }

  /** A gRPC channel for generated stubs; each call goes to a random instance of the kind. */
  channel(from: Life, kind: InstanceKind): SimulatedChannel {
    return new SimulatedChannel(from, this.cluster.network, () => this.#anyOf(from, kind));
  }

  #anyOf(from: Life, kind: InstanceKind): string {
    return from.random.pick(this.cluster.of(kind)).name;
  }

  /** A host for callers: it never crashes, because its memory is what the deployment is judged by. */
  callers(name: string): Callers {
    return new Callers(this, new Life(this.world, name, 0));
  }
}

export class Callers {
  constructor(
    private readonly deployment: Deployment,
    readonly life: Life,
  ) {}

  get random(): Random {
    return this.life.random;
  }

  pause(microseconds: number): Promise<void> {
    return this.deployment.world.timeline.pass(microseconds);
  }

  /** One attempt at a random instance of the kind. */
  async attempt(kind: InstanceKind, path: string, request: Uint8Array): Promise<Buffer> {
    const { cluster } = this.deployment;
    const { name } = this.random.pick(cluster.of(kind));
    return cluster.network.call(this.life, name, path, request, { limitMs: ATTEMPT_LIMIT_MS });
  }

  /** Reads until what is read is what is wanted. @returns what was read last. */
  async readUntil<Value>(wanted: Value, read: () => Promise<Value>): Promise<Value> {
    let value = await read();
    for (let reads = 1; value !== wanted && reads < MOST_READS; reads += 1) {
      await this.pause(READ_AGAIN_US);
      value = await read();
    }
    return value;
  }

  /** Asks again, with the same bytes, until there is an answer or a refusal that is not transient. */
  async call(kind: InstanceKind, path: string, request: Uint8Array): Promise<Buffer> {
    for (let pauseUs = FIRST_PAUSE_US; ; pauseUs = Math.min(pauseUs * 2, LONGEST_PAUSE_US)) {
      try {
        return await this.attempt(kind, path, request);
      } catch (error) {
        if (!isTransient(error)) throw error;
        await this.pause(pauseUs + this.random.below(pauseUs));
      }
    }
  }
}

export function isTransient(error: unknown): boolean {
  if (!(error instanceof CallFailed)) return false;
  return error.code !== 'REFUSED' || error.reason === 'QUEUE_FULL';
}
