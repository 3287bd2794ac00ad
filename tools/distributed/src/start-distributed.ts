/**
 * Everything at once, as users run it: NATS, MongoDB (or what stands in for it), and each service as processes of its own. For
 * `npm run start:distributed`, for tests, for the replay and for benchmarks.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChannelCredentials } from '@grpc/grpc-js';
import { type NatsServerOptions, type RunningServer, startMongo, startNats } from '@sluice/infra';
import { WELL_KNOWN_PORTS } from '@sluice/service';
import { ServiceChild } from './service-child';
import { environmentFor } from './service-environment';
import { DEFAULT_COUNTS, SERVICE_NAMES, type ServiceName } from './service-name';

export interface ProcessSurroundings {
  readonly nats: RunningServer;
  readonly mongodb: RunningServer;
  /** The port of the process, once it listens: for a link that stands before it. */
  readonly port: () => number;
}

export interface DistributedOptions {
  /** Where the servers keep their data; default: a temporary folder, removed at the end. */
  readonly dataDir?: string;
  readonly counts?: Partial<Readonly<Record<ServiceName, number>>>;
  /** The first of each service on its well-known port; default: any free ports. */
  readonly wellKnownPorts?: boolean;
  /** SLUICE_* and OTEL_* variables for all processes. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Variables for one process, by its name ("command-1"). */
  readonly environmentOf?: (name: string, surroundings: ProcessSurroundings) => Readonly<Record<string, string>>;
  /** False: the servers of SLUICE_NATS_URL and SLUICE_MONGODB_URL are not taken, for tests that kill theirs. */
  readonly external?: boolean;
  /** How the health of the processes is asked for where they serve by TLS; default: in plain text. */
  readonly credentials?: ChannelCredentials;
  /** Further lines for the configuration of a NATS server that is started here. */
  readonly natsConfiguration?: NatsServerOptions['configuration'];
  /** Servers that run already and are not to be stopped here. */
  readonly servers?: { readonly nats: RunningServer; readonly mongodb: RunningServer };
  readonly onLine?: (name: string, line: string) => void;
  /** A process ended that nobody asked to. Default: nobody is told. */
  readonly onDeath?: (child: ServiceChild, how: string) => void;
  readonly progress?: (line: string) => void;
}

export interface Distributed {
  readonly nats: RunningServer;
  readonly mongodb: RunningServer;
  /** Of the read store. */
  readonly readUrl: string;
  readonly dataDir: string;
  /** All processes, in the order of the services. */
  readonly processes: readonly ServiceChild[];
  readonly of: (service: ServiceName) => readonly ServiceChild[];
  /** Process and servers, gracefully, in order; what was killed or stopped before is left so. */
  stop(): Promise<void>;
}

const SECRET_BYTES = 32;

/** Resolves when every process serves. */
export async function startDistributed(options: DistributedOptions = {}): Promise<Distributed> {
  const { progress = () => undefined } = options;
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'sluice-distributed-'));
  const servers: RunningServer[] = [];
  const processes: ServiceChild[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(processes.map((child) => child.stop()));
    if (options.servers === undefined) await Promise.all(servers.map((server) => server.stop()));
    if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    const { external, natsConfiguration } = options;
    const nats =
      options.servers?.nats ?? (await startNats({ dataDir: join(dataDir, 'nats'), external, configuration: natsConfiguration, apart: true, progress }));
    servers.push(nats);
    const mongodb = options.servers?.mongodb ?? (await startMongo({ dataDir: join(dataDir, 'mongodb'), external, apart: true, progress }));
    servers.push(mongodb);
    const keyringSecret = keptSecret(dataDir);
    for (const service of SERVICE_NAMES) processes.push(...childrenOf(service, { nats, mongodb, keyringSecret }, options));
    await Promise.all(processes.map((child) => child.start()));
    await Promise.all(processes.map((child) => child.untilServing()));
    return {
      nats,
      mongodb,
      readUrl: readUrlOf(options, mongodb),
      dataDir,
      processes,
      of: (service) => processes.filter((child) => child.service === service),
      stop,
    };
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
}

interface Servers {
  readonly nats: RunningServer;
  readonly mongodb: RunningServer;
  readonly keyringSecret: string;
}

function childrenOf(service: ServiceName, { nats, mongodb, keyringSecret }: Servers, options: DistributedOptions): ServiceChild[] {
  const surroundings = {
    logUrl: process.env['SLUICE_LOG_URL'] ?? mongodb.url,
    readUrl: readUrlOf(options, mongodb),
    natsUrl: nats.url,
    keyringSecret,
  };
  return Array.from({ length: options.counts?.[service] ?? DEFAULT_COUNTS[service] }, (_, index) => {
    const name = `${service}-${index + 1}`;
    const port = (): number => Number(/:(\d+)$/.exec(child.address)?.[1]);
    const child: ServiceChild = new ServiceChild({
      service,
      name,
      port: options.wellKnownPorts === true && index === 0 ? WELL_KNOWN_PORTS[service] : 0,
      environment: environmentFor(service, surroundings, { ...options.environment, ...options.environmentOf?.(name, { nats, mongodb, port }) }),
      credentials: options.credentials,
      onLine: options.onLine ?? (() => undefined),
      onDeath: options.onDeath ?? (() => undefined),
    });
    return child;
  });
}

function readUrlOf({ environment }: DistributedOptions, mongodb: RunningServer): string {
  return environment?.['SLUICE_READ_URL'] ?? process.env['SLUICE_READ_URL'] ?? mongodb.url;
}

/** The secret of the keyring: the configured one, else made once and kept beside the data. */
function keptSecret(dataDir: string): string {
  const configured = process.env['SLUICE_KEYRING_SECRET'];
  if (configured !== undefined && configured !== '') return configured;
  const file = join(dataDir, 'keyring.key');
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const secret = randomBytes(SECRET_BYTES).toString('hex');
  writeFileSync(file, `${secret}\n`, { mode: 0o600 });
  return secret;
}
