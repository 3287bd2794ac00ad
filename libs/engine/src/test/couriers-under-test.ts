/** Processes that exchange deliveries over one log in memory, on one clock, through a network that a test bends. */
import { InProcessBus, ManualClock, MemoryEventLog, MemoryLogStorage, MemorySnapshotStore, type MemoryBlocks } from '@sluice/memory';
import type { DeliveryBudget } from '../deliveries/delivery-budget';
import { Engine } from '../engine';
import { SILENT_OBSERVER } from '../engine-observer';
import type { Partition } from '../partition/partition';
import type { PartitionLimits } from '../partition/limits';
import { type Courier, courier, type CourierState, Dispatch, type Dispatched, keyIn, type Sent } from './courier';
import { INCARNATION, NO_DOUBT, SEEDS } from './partition-under-test';

/** What happens to a batch on its way: the network calls `pass` as often as the batch arrives, and answers. */
export type Network = (target: number, pass: () => Promise<Uint8Array>) => Promise<Uint8Array>;

export interface CourierOptions {
  readonly limits?: Partial<PartitionLimits>;
  readonly budget?: DeliveryBudget;
}

export class CourierProcess {
  readonly log: MemoryEventLog;
  readonly engine: Engine;
  readonly courier: Courier = courier();
  readonly troubles: string[] = [];

  constructor(
    post: Post,
    readonly owner: string,
    { limits = {}, budget }: CourierOptions,
  ) {
    const { storage, blocks, clock } = post;
    this.log = new MemoryEventLog(storage);
    this.engine = new Engine({
      log: this.log,
      snapshots: new MemorySnapshotStore(blocks),
      bus: new InProcessBus({ clock }),
      clock,
      seeds: SEEDS,
      capabilities: [this.courier],
      owner,
      shared: true,
      limits: { ...NO_DOUBT, ...limits },
      observer: {
        ...SILENT_OBSERVER,
        trouble: (_partition, what, error) => void this.troubles.push(`${what}: ${error instanceof Error ? error.message : ''}`),
      },
      memoryIsShort: () => false,
      transport: { send: (target, batch) => post.network(target, () => post.deliver(target, batch)) },
      ...(budget && { deliveryBudget: budget }),
    });
  }

  owned(partition: number): Partition {
    const owned = this.engine.partition(partition);
    if (owned === undefined) throw new Error(`${this.owner} does not own partition ${partition}`);
    return owned;
  }

  state(partition: number): CourierState {
    return this.owned(partition).stateOf('courier') as CourierState;
  }

  dispatch(partition: number, ...texts: Sent[]): Promise<Dispatched> {
    const owned = this.owned(partition);
    const dispatch = new Dispatch(() => owned.stateOf('courier'), texts);
    owned.submit(dispatch);
    return dispatch.outcome;
  }
}

export class Post {
  readonly clock = new ManualClock();
  readonly storage: MemoryLogStorage;
  readonly blocks: MemoryBlocks = new Map();
  /** By default every batch arrives once, and its answer too. */
  network: Network = (_target, pass) => pass();
  readonly processes: CourierProcess[] = [];

  constructor(readonly partitions = 2) {
    this.storage = new MemoryLogStorage({ partitions, incarnation: INCARNATION });
  }

  process(owner: string, options: CourierOptions = {}): CourierProcess {
    const started = new CourierProcess(this, owner, options);
    this.processes.push(started);
    return started;
  }

  key(partition: number, label?: string): string {
    return keyIn(partition, this.partitions, label);
  }

  /** A text from one partition to another. */
  text(source: number, target: number, text: string): Sent {
    return { from: this.key(source), to: this.key(target), text };
  }

  async deliver(target: number, batch: Uint8Array): Promise<Uint8Array> {
    const owner = this.processes.find(({ engine }) => engine.partition(target) !== undefined);
    if (owner === undefined) throw new Error(`no process owns partition ${target}`);
    return owner.owned(target).deliveries.deliver(batch);
  }

  /** Lets time pass, in small steps, until it is so. */
  async until(what: () => boolean, limitMs = 600_000): Promise<void> {
    for (let passed = 0; !what(); passed += 10) {
      if (passed > limitMs) throw new Error('it does not come about');
      await this.clock.elapse(10);
    }
  }

  async stop(): Promise<void> {
    let stopped = false;
    const stopping = Promise.all(this.processes.map(({ engine }) => engine.stop({ snapshot: false }))).finally(() => {
      stopped = true;
    });
    await Promise.all([stopping, this.until(() => stopped)]);
  }
}
