/** Command instances over one log in memory, each with a clock of its own, and the ways to them, which can be cut. */
import { timerRegistration } from '@sluice/command';
import { Engine, hashSeeds } from '@sluice/engine';
import { InProcessBus, type ManualClock, MemoryEventLog, MemoryLogStorage, MemorySnapshotStore, type MemoryBlocks } from '@sluice/memory';
import { inProcessPeer, type PeerCalls } from '@sluice/service';
import type { CommandInstance, CommandInstanceListener, CommandInstances } from '../owners/command-instances';
import { SCHEDULER_CALLER } from '../scheduler';
import { alarms, type AlarmState } from './alarms';

const SEEDS = hashSeeds(Buffer.from('the secret of the tests'), Buffer.alloc(16));

export const PARTITION = 1;
const INCARNATION = '00112233445566778899aabbccddeeff';

export class Instances implements CommandInstances {
  readonly storage = new MemoryLogStorage({ partitions: 3, incarnation: INCARNATION });
  readonly blocks: MemoryBlocks = new Map();
  readonly present: InstanceUnderTest[] = [];
  private readonly listeners = new Set<CommandInstanceListener>();

  watch(listener: CommandInstanceListener): () => void {
    this.listeners.add(listener);
    for (const instance of this.present) listener.came(instance);
    return () => this.listeners.delete(listener);
  }

  /** Another scheduler may still watch. */
  close(): void {}

  /** @param clock the clock of its machine. */
  start(id: string, clock: ManualClock): InstanceUnderTest {
    const instance = new InstanceUnderTest(id, this, clock);
    this.present.push(instance);
    for (const listener of this.listeners) listener.came(instance);
    return instance;
  }

  kill(instance: InstanceUnderTest): void {
    this.present.splice(this.present.indexOf(instance), 1);
    instance.cut();
    instance.reachable = false;
    for (const listener of this.listeners) listener.gone(instance);
  }
}

export class InstanceUnderTest implements CommandInstance {
  readonly log: MemoryEventLog;
  readonly engine: Engine;
  readonly calls: PeerCalls;
  /** Methods that were called. */
  readonly called: string[] = [];
  reachable = true;
  private readonly cuts = new Set<() => void>();

  constructor(
    readonly id: string,
    { storage, blocks }: Instances,
    readonly clock: ManualClock,
  ) {
    this.log = new MemoryEventLog(storage);
    this.engine = new Engine({
      log: this.log,
      snapshots: new MemorySnapshotStore(blocks),
      bus: new InProcessBus({ clock }),
      clock,
      seeds: SEEDS,
      capabilities: [alarms],
      owner: id,
      shared: true,
      sorting: 'here',
      // An append that fails drops the memory at once.
      limits: { doubtMs: 0 },
    });
    const calls = inProcessPeer([timerRegistration(this.engine.timers, clock)], SCHEDULER_CALLER);
    this.calls = {
      unary: async (method, ...rest) => {
        this.called.push(method.path.slice(method.path.lastIndexOf('/') + 1));
        if (!this.reachable) throw new Error('the connection was refused');
        return calls.unary(method, ...rest);
      },
      serverStream: (method, request, listener) => {
        const ended = (error: Error | undefined): void => {
          if (this.cuts.delete(cut)) listener.ended(error);
        };
        const cut = (): void => {
          stream?.cancel();
          ended(new Error('the connection was cut'));
        };
        this.cuts.add(cut);
        const message: typeof listener.message = (response) => {
          if (this.cuts.has(cut)) listener.message(response);
        };
        const stream = this.reachable ? calls.serverStream(method, request, { message, ended }) : undefined;
        if (stream === undefined) setImmediate(cut);
        return { cancel: cut };
      },
    };
  }

  /** Every stream of it ends. */
  cut(): void {
    for (const cut of [...this.cuts]) cut();
  }

  get rung(): readonly string[] {
    return (this.engine.partition(PARTITION)?.stateOf('alarm') as AlarmState).rung;
  }
}
