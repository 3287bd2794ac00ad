/**
 * Command instances that share the partitions of one log, with leases in memory and real servers, as separate processes would.
 */
import { randomBytes } from 'node:crypto';
import { type ChannelCredentials, credentials, type ServiceDefinition, type ServiceError } from '@grpc/grpc-js';
import { SessionLease } from '@sluice/leases';
import { InProcessBus, MemoryEventLog, MemoryKeyring, MemoryLeaseService, MemoryLeaseTable, MemoryLogStorage, MemorySnapshotStore } from '@sluice/memory';
import { type Keyring, systemClock } from '@sluice/ports';
import { accountpb } from '@sluice/protocol/account';
import { HopProof, openServer, PeerConnections, type PeerOptions, type RateLimitedLog, type OpenedServer, type ServerOptions } from '@sluice/service';
import { TcpLink } from '@sluice/testing';
import { COMMAND_CAPABILITIES } from '../capabilities.generated';
import { startCommand, type CommandDependencies, type CommandRuntime } from '../command';

const LEASE_MS = 1_500;
const PROOF = new HopProof(randomBytes(32));
const LOOK_EVERY_MS = 20;

export interface SharingOptions {
  readonly server?: Partial<ServerOptions>;
  readonly peers?: Partial<PeerOptions>;
  readonly log?: RateLimitedLog;
  /** Default: one in memory, over the keys of all. */
  readonly keyring?: Keyring;
  readonly settings?: CommandDependencies['settings'];
  /** How a caller reaches the instance. */
  readonly channel?: ChannelCredentials;
}

export class SharingInstance {
  constructor(
    readonly command: CommandRuntime,
    readonly server: OpenedServer,
    readonly client: accountpb.AccountCommandServiceClient,
    /** The way on which the other instances reach this one. */
    readonly link: TcpLink,
    /** The log as this instance reaches it. */
    readonly log: MemoryEventLog,
    private readonly leaseTable: MemoryLeaseTable,
    private readonly lease: SessionLease,
    private readonly stopped: () => void,
  ) {}

  /** The host falls silent: no byte reaches it or leaves it, and it renews no lease. */
  silence(): void {
    this.link.silence();
    this.leaseTable.setConnected(false);
  }

  /** What reaches the host is done, but no answer leaves it, and it renews no lease. */
  silenceAnswers(): void {
    this.link.silenceAnswers();
    this.leaseTable.setConnected(false);
  }

  async open(accountIds: readonly string[]): Promise<void> {
    const accounts = accountIds.map((accountId) => ({ requestId: 'open', accountId, unit: 'EUR' }));
    const { results } = await answered<accountpb.OpenAccountsResponse>((done) =>
      this.client.openAccounts(accountpb.OpenAccountsRequest.fromPartial({ accounts }), done),
    );
    const refused = results.find(({ error }) => error !== undefined);
    if (refused !== undefined) throw new Error(`an account was not opened: ${refused.error?.message}`);
  }

  batch(postings: readonly Partial<accountpb.Posting>[], atomic = false): Promise<accountpb.PostBatchResponse> {
    return answered((done) => this.client.postBatch(accountpb.PostBatchRequest.fromPartial({ postings: [...postings], atomic }), done));
  }

  async stop(): Promise<void> {
    this.stopped();
    this.client.close();
    await this.link.close();
    await this.server.stop(0);
    await this.command.stop();
    await this.lease.close();
  }
}

export class SharingInstances {
  private readonly running = new Set<SharingInstance>();
  private readonly storage: MemoryLogStorage;
  private readonly leases = new MemoryLeaseService();
  private readonly snapshots = new MemorySnapshotStore();
  /** Of all keyrings: they share one database. */
  readonly keys = new Map<string, Uint8Array>();

  constructor(private readonly options: { readonly partitions: number }) {
    this.storage = new MemoryLogStorage({ partitions: options.partitions });
  }

  async start(
    name: string,
    {
      server: serverOptions,
      peers,
      log: faults,
      keyring = new MemoryKeyring(this.keys),
      settings,
      channel = credentials.createInsecure(),
    }: SharingOptions = {},
  ): Promise<SharingInstance> {
    const services = COMMAND_CAPABILITIES.flatMap(({ definitions }) => definitions).map((definition) => ({ name: nameOf(definition), definition }));
    const server = await openServer({ host: '127.0.0.1', port: 0, hopProof: PROOF, ...serverOptions }, services);
    const link = await TcpLink.open(() => server.port);
    const leaseTable = new MemoryLeaseTable(this.leases);
    const lease = await SessionLease.open({ table: leaseTable, holder: { id: name, address: link.address }, ttlMs: LEASE_MS });
    const log = new MemoryEventLog(this.storage);
    const command = await startCommand({
      log,
      snapshots: this.snapshots,
      bus: new InProcessBus(),
      keyring,
      clock: systemClock,
      instanceId: name,
      ...(settings && { settings }),
      sharing: {
        lease,
        ...(faults && { log: faults }),
        transport: new PeerConnections({ proof: PROOF, ...peers }, systemClock),
      },
    });
    server.begin(command.registrations);
    const client = new accountpb.AccountCommandServiceClient(server.address, channel);
    const instance: SharingInstance = new SharingInstance(command, server, client, link, log, leaseTable, lease, () => this.running.delete(instance));
    this.running.add(instance);
    return instance;
  }

  /** Every partition is served, and every running instance serves its even share. */
  async untilShared(): Promise<void> {
    const share = this.options.partitions / this.running.size;
    while ([...this.running].some(({ command }) => Math.abs(command.engine.owned.length - share) >= 1)) await look();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.running].map((instance) => instance.stop()));
  }
}

/** Full name of a service, from the path of one of its methods. */
function nameOf(definition: ServiceDefinition): string {
  return Object.values(definition)[0]?.path.split('/')[1] ?? '';
}

export function look(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
}

export function answered<Response>(call: (done: (error: ServiceError | null, response: Response) => void) => unknown): Promise<Response> {
  return new Promise((resolve, reject) => call((error, response) => (error === null ? resolve(response) : reject(error))));
}
