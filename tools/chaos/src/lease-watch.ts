/** What the lease service says while a plan runs: who owns what, and how many consumers its stream carries. */
import { NatsLeaseTable, NatsLink } from '@sluice/bus-nats';
import { SessionLease } from '@sluice/leases';
import { RepeatedLook } from './repeated-look';

const OWNERS_EVERY_MS = 200;
/** Consumers are counted with every n-th look at the owners. */
const CONSUMERS_EVERY = 25;

/** Takes no lease. */
const OBSERVER = { id: 'chaos', address: 'none' };
const OBSERVER_TTL_MS = 2_000;

export interface LeaseWatchOptions {
  readonly natsUrl: string;
  readonly deployment: string;
  readonly partitions: number;
  readonly ownersAre: (owners: readonly (string | undefined)[]) => void;
}

export class LeaseWatch {
  /** The most consumers that the stream of the leases ever had. */
  mostConsumers = 0;
  private readonly looking = new RepeatedLook(OWNERS_EVERY_MS, () => this.look());
  private looks = 0;

  private constructor(
    private readonly options: LeaseWatchOptions,
    private readonly link: NatsLink,
    private readonly lease: SessionLease,
  ) {}

  static async start(options: LeaseWatchOptions): Promise<LeaseWatch> {
    const link = await NatsLink.open({ url: options.natsUrl });
    const table = await NatsLeaseTable.open({ link, deployment: options.deployment });
    const watch = new LeaseWatch(options, link, await SessionLease.open({ table, holder: OBSERVER, ttlMs: OBSERVER_TTL_MS }));
    watch.looking.start();
    return watch;
  }

  async stop(): Promise<void> {
    await this.looking.stop();
    await this.lease.close();
    await this.link.close();
  }

  /** Consumers of the stream of the leases now. */
  async consumers(): Promise<number> {
    const { state } = await this.link.manager.streams.info(`KV_sluice_${this.options.deployment}_leases`);
    this.mostConsumers = Math.max(this.mostConsumers, state.consumer_count);
    return state.consumer_count;
  }

  private async look(): Promise<void> {
    try {
      const names = Array.from({ length: this.options.partitions }, (_, partition) => `command/${partition}`);
      const held = await Promise.all(names.map((name) => this.lease.read(name)));
      this.options.ownersAre(held.map((lease) => lease?.holder.id));
      if (this.looks % CONSUMERS_EVERY === 0) await this.consumers();
    } catch {
      // NATS is away: the owners are those of before.
    }
    this.looks += 1;
  }
}
