/**
 * What a process knows and may ask for while it opens what its service needs: the servers by their URLs, waited for with
 * back-off and one line per attempt, and a place to say how each part is closed again.
 */
import { NatsBus, type NatsBusOptions, NatsLeaseTable, NatsLink } from '@sluice/bus-nats';
import { type Clock, type Lease, type LeaseHolder, systemClock } from '@sluice/ports';
import { type Configuration, ConfigurationError, natsOptionsOf, type OpenedParts, type Security } from '@sluice/service';
import { MongoConnection } from '@sluice/store-mongo';
import type { Logger, Telemetry } from '@sluice/telemetry';
import { Readiness } from './readiness';
import { LeaseThread } from './lease-thread/lease-thread';
import type { LeaseLinkOptions } from './lease-thread/thread-messages';
import { willPass } from './start-failure';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 1_000;

export interface OpeningOptions {
  readonly configuration: Configuration;
  readonly instanceId: string;
  /** HOST:PORT under which other instances reach this one. */
  readonly address: string;
  /** How it shows itself to them. */
  readonly peer: Security['peer'];
  readonly logger: Logger;
  readonly telemetry: Telemetry;
  /** Aborts when the process is asked to stop. */
  readonly stopping: AbortSignal;
  readonly parts: OpenedParts;
}

export class Opening {
  readonly clock: Clock = systemClock;
  readonly readiness = new Readiness();
  private readonly handOvers: (() => Promise<void>)[] = [];
  private readonly databases = new Map<string, Promise<MongoConnection>>();
  private link: Promise<NatsLink> | undefined;

  constructor(private readonly options: OpeningOptions) {}

  get configuration(): Configuration {
    return this.options.configuration;
  }

  get logger(): Logger {
    return this.options.logger;
  }

  get telemetry(): Telemetry {
    return this.options.telemetry;
  }

  get stopping(): AbortSignal {
    return this.options.stopping;
  }

  /** This instance, as leases name it. */
  get holder(): LeaseHolder {
    return { id: this.options.instanceId, address: this.options.address };
  }

  /** How this instance calls the others: its certificate and its token, where there are any. */
  get peer(): Security['peer'] {
    return this.options.peer;
  }

  /** Keeps a part until the process stops; the newest is closed first. */
  keep<Part>(part: Part, close: (part: Part) => Promise<void>): Part {
    return this.options.parts.add(part, close);
  }

  /** Registers what hands to other instances what this one owns. It runs as soon as the process is asked to stop, while calls in flight are finished. */
  handOverBy(handOver: () => Promise<void>): void {
    this.handOvers.push(handOver);
  }

  /** Hands over everything that was registered. */
  async handOver(): Promise<void> {
    await Promise.all(this.handOvers.map((handOver) => handOver()));
  }

  /** The database of the event log, of snapshots and of signing keys. */
  logDatabase(): Promise<MongoConnection> {
    const { logUrl, mongodbUrl } = this.configuration;
    return this.database(logUrl ?? mongodbUrl, 'SLUICE_LOG_URL');
  }

  /** The database of the read collections. */
  readDatabase(): Promise<MongoConnection> {
    const { readUrl, mongodbUrl } = this.configuration;
    return this.database(readUrl ?? mongodbUrl, 'SLUICE_READ_URL');
  }

  /** The database of the read collections for who can do without: undefined where none is configured. */
  readDatabaseIfAny(): Promise<MongoConnection> | undefined {
    const { readUrl, mongodbUrl } = this.configuration;
    return readUrl === undefined && mongodbUrl === undefined ? undefined : this.readDatabase();
  }

  /** Commits on their way, of the log's incarnation. */
  async bus(options: Pick<NatsBusOptions, 'incarnation' | 'reader' | 'onStreamLost'>): Promise<NatsBus> {
    const link = await this.nats();
    const { deployment } = this.configuration;
    const bus = await this.patiently(`the stream of commits at ${link.describe}`, () => NatsBus.open({ ...options, link, deployment }));
    return this.keep(bus, (opened) => opened.close());
  }

  /** The leases of this process, kept by a thread of their own. `ttlMs`: how long they outlive it. */
  async leases(ttlMs: number): Promise<Lease> {
    const link = await this.nats();
    const { deployment } = this.configuration;
    // Looked at from here first: what is configured otherwise than expected ends the start with its reason.
    await this.patiently(`the leases at ${link.describe}`, () => NatsLeaseTable.open({ link, deployment }));
    const lease = await LeaseThread.start(
      {
        link: { ...this.natsOptions(), name: `${this.options.instanceId} leases` },
        deployment,
        holder: this.holder,
        ttlMs,
        clock: this.clock,
        onStatus: (message) => this.logger.warn(`leases: ${message}`),
        died: (error) => this.logger.error({ error }, 'the thread that keeps the leases ended and is started again'),
      },
      this.stopping,
    );
    return this.keep(lease, (started) => started.close());
  }

  /**
   * Tries again, with back-off, as long as the reason is one that passes: a server that is not there yet, or not there for a
   * moment. Throws what does not pass, and the last reason when the process is asked to stop.
   */
  async patiently<Result>(what: string, attempt: () => Promise<Result>): Promise<Result> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        return await attempt();
      } catch (error) {
        if (!willPass(error) || this.stopping.aborted) throw error;
        this.waiting(`${what}: ${(error as Error).message}`);
        await pause(pauseMs, this.stopping);
      }
    }
  }

  private database(url: string | undefined, variable: string): Promise<MongoConnection> {
    if (url === undefined)
      throw new ConfigurationError([`${variable} or SLUICE_MONGODB_URL must be given: services as processes of their own keep their data in MongoDB`]);
    let opened = this.databases.get(url);
    if (opened === undefined) {
      const wait = { onWaiting: (message: string) => this.waiting(message), signal: this.stopping };
      opened = MongoConnection.open({ url, wait }).then((connection) => this.keep(connection, (kept) => kept.close()));
      this.databases.set(url, opened);
    }
    return opened;
  }

  private nats(): Promise<NatsLink> {
    this.link ??= NatsLink.open({
      ...this.natsOptions(),
      name: this.options.instanceId,
      onStatus: (message) => this.logger.warn(message),
      wait: { signal: this.stopping },
    }).then((link) => this.keep(link, (opened) => opened.close()));
    return this.link;
  }

  private natsOptions(): LeaseLinkOptions {
    const { natsUrl: url } = this.configuration;
    if (url === undefined) throw new ConfigurationError(['SLUICE_NATS_URL must be given: services as processes of their own find each other by NATS']);
    return natsOptionsOf(url, this.configuration);
  }

  private waiting(message: string): void {
    this.logger.warn(`waiting for ${message}`);
  }
}

/** Resolves after the time, or as soon as the signal aborts. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, milliseconds);
    signal.addEventListener('abort', finish);
  });
}
