/**
 * The embedded mode: command, projector, query and scheduler in one process on one port, SQLite files in one folder, commits
 * carried from the engine's thread to the projector's by a message port.
 *
 * Threads: this one (gRPC, engine, reads), the log's writer, the projector, the writer of snapshots; short-lived ones where
 * a turn is split. Opened in the order in which one needs the other, closed in the reverse order: first nothing new is
 * taken, then turns are finished and flushed, then the files are closed and the folder is free.
 */
import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { startCommand } from '@sluice/command';
import type { PartitionLimits } from '@sluice/engine';
import { SessionLease } from '@sluice/leases';
import { MemoryLeaseTable, MessagePortBusPublisher } from '@sluice/memory';
import { type EventLog, MissingKeysError, systemClock } from '@sluice/ports';
import { READ_COLLECTIONS } from '@sluice/projections';
import { type ProjectorRuntime, startProjectorThread } from '@sluice/projector';
import { startQuery } from '@sluice/query';
import { oneCommandInstance, SCHEDULER_CALLER, startScheduler } from '@sluice/scheduler';
import { type Configuration, inProcessPeer, OpenedParts, openSecurity, partitionsOf, serverOptionsOf, startServer, WELL_KNOWN_PORTS } from '@sluice/service';
import {
  assertAccess,
  assertRoom,
  DataFolderLock,
  openingDataFile,
  SqliteEventLog,
  SqliteKeyring,
  SqliteReadStore,
  SqliteSnapshotStore,
} from '@sluice/store-sqlite';
import { createLogger, engineObserver, type Logger, projectorObserver, startTelemetry, type Telemetry } from '@sluice/telemetry';
import { type DataFiles, dataFiles, usedFiles } from '../data-folder';
import { verifyChain } from '../log/chain';
import { BegunKeyring } from './begun-keyring';
import type { LiveFigures } from './live-line';
import { PostingMeter } from './posting-meter';
import { startFailure } from './start-failure';
import { lostIncarnations } from './whose-files';

export interface EmbeddedServer {
  /** HOST:PORT. */
  readonly address: string;
  readonly folder: string;
  readonly partitions: number;
  figures(): Promise<LiveFigures>;
  /** Stops taking, finishes what was taken, closes the files. */
  stop(): Promise<void>;
}

/** Nobody else is there to take it. */
const SCHEDULER_LEASE_TTL_MS = 60_000;
/** A log up to this size is checked from its first commit on at every start; of a larger one the engine checks what it reads. */
const MAXIMUM_BYTES_CHECKED_AT_START = 64 * 1024 * 1024;

export interface EmbeddedOptions {
  readonly logger?: Logger;
  /** A person said that the folder's log is lost, and that a new one is to be begun. */
  readonly newLog?: boolean;
}

/** Throws a PlainFailure for whatever a person can do something about. */
export async function startEmbedded(configuration: Configuration, options: EmbeddedOptions = {}): Promise<EmbeddedServer> {
  const { logger = createLogger({ service: 'sluice', level: configuration.logLevel }), newLog = false } = options;
  const parts = new OpenedParts();
  const files = dataFiles(configuration.dataDir);
  try {
    return await open(configuration, files, parts, logger, newLog);
  } catch (error) {
    await parts.close().catch(() => undefined);
    throw startFailure(error, files.folder);
  }
}

async function open(configuration: Configuration, files: DataFiles, parts: OpenedParts, logger: Logger, newLog: boolean): Promise<EmbeddedServer> {
  const clock = systemClock;
  const instanceId = configuration.instanceId ?? randomUUID();
  const security = parts.add(await openSecurity(configuration, clock, logger), async (opened) => opened.close());
  assertAccess(files.folder, usedFiles(files));
  parts.add(await openingDataFile(files.lock, () => DataFolderLock.acquire(files.folder)), async (lock) => lock.release());
  assertRoom(files.folder);
  const begunKeyring = parts.add(new BegunKeyring(files), async (begun) => begun.close());
  const writerDied = (error: Error): void => logger.error({ error }, 'a thread that writes files ended and is started again');
  const succeeds = lostIncarnations(files, newLog);
  const partitions = partitionsOf(configuration);
  const log = parts.add(await openingDataFile(files.log, () => SqliteEventLog.open({ file: files.log, partitions, succeeds, writerDied })), (opened) =>
    opened.close(),
  );
  await openingDataFile(files.log, () => checkLog(log, files));
  const snapshots = parts.add(await openingDataFile(files.snapshots, () => SqliteSnapshotStore.open({ file: files.snapshots, writerDied })), (opened) =>
    opened.close(),
  );
  if (newLog) await snapshots.remove('partition/');
  const secret = keyringSecret(configuration, files);
  const keyring = parts.add(await openingDataFile(files.keyring, () => SqliteKeyring.open({ file: files.keyring, secret, writerDied })), (opened) =>
    opened.close(),
  );

  const meter = new PostingMeter();
  const telemetry = parts.add(await startTelemetry({ service: 'sluice', instanceId, environment: process.env, ...metricsEndpoint(configuration) }), (started) =>
    started.stop(),
  );
  const projector = parts.add(await openProjector(log, files, parts, telemetry, logger), (runtime) => runtime.projector.stop());
  const reading: { store?: SqliteReadStore } = {};
  const command = parts.add(
    await startCommand({
      log,
      snapshots,
      bus: projector.bus,
      keyring,
      clock,
      instanceId,
      settings: configuration,
      metrics: telemetry.metrics,
      pool: configuration.pool,
      poolThreads: configuration.poolThreads,
      drainGraceMs: configuration.shutdownGraceMs,
      missingKeys: configuration.missingKeys,
      limits: limitsOf(configuration),
      deliveryBudget: { attempts: configuration.deliveryAttempts, milliseconds: configuration.deliveryBudgetMs },
      readStore: () => reading.store,
      observer: meter.over(engineObserver(telemetry.metrics, logger)),
    }).catch((error: unknown) => {
      if (error instanceof MissingKeysError) begunKeyring.refused();
      throw error;
    }),
    (runtime) => runtime.stop(),
  );
  const readStore = parts.add(await SqliteReadStore.open({ file: files.read, collections: READ_COLLECTIONS, readOnly: true }), (opened) => opened.close());
  reading.store = readStore;
  const query = parts.add(await startQuery({ readStore, clock, logger }), (runtime) => runtime.stop());
  await query.ready;
  const holder = { id: instanceId, address: configuration.host };
  const lease = parts.add(await SessionLease.open({ table: new MemoryLeaseTable(), holder, ttlMs: SCHEDULER_LEASE_TTL_MS, clock }), (opened) => opened.close());
  const instances = oneCommandInstance({ id: instanceId, calls: inProcessPeer(command.peerRegistrations, SCHEDULER_CALLER) });
  const scheduler = parts.add(await startScheduler({ lease, instances, clock, logger }), (runtime) => runtime.stop());

  const registrations = [command, query, projector.projector, scheduler].flatMap((runtime) => runtime.registrations);
  const options = { ...serverOptionsOf(configuration, WELL_KNOWN_PORTS.command), ...security.server, logger, metrics: telemetry.metrics };
  const server = parts.add(await startServer(options, registrations), (running) => running.stop(configuration.shutdownGraceMs, () => command.handOver()));
  server.setServing(true);
  return {
    address: server.address,
    folder: files.folder,
    partitions: log.identity.partitions,
    figures: () => liveFigures(meter, projector.projector),
    stop: () => parts.close(),
  };
}

async function openProjector(
  log: EventLog,
  files: DataFiles,
  parts: OpenedParts,
  telemetry: Telemetry,
  logger: Logger,
): Promise<{ projector: ProjectorRuntime; bus: MessagePortBusPublisher }> {
  const bus = parts.add(new MessagePortBusPublisher(), (publisher) => publisher.close());
  const projector = await startProjectorThread({
    logFile: files.log,
    readFile: files.read,
    readBus: () => bus.newReader(),
    log,
    observer: projectorObserver(telemetry.metrics, logger),
    crashed: (error) => logger.error({ error }, 'the projector ended and is started again: reads fall behind meanwhile'),
  });
  return { projector, bus };
}

function limitsOf({ queueCommands, queueBytes, turnCommands, turnBytes, snapshotBytes }: Configuration): Partial<PartitionLimits> {
  return { queueCommands, queueBytes, turnCommands, turnBytes, snapshotBytes };
}

function metricsEndpoint({ metricsPort, metricsHost }: Configuration): { metricsPort?: number; metricsHost: string } {
  return { metricsHost, ...(typeof metricsPort === 'number' ? { metricsPort } : undefined) };
}

function keyringSecret({ keyringSecret: value }: Configuration, { keyringKey: file }: DataFiles): { readonly value: string } | { readonly file: string } {
  return value === undefined ? { file } : { value };
}

/** Finds a damaged commit before anything is answered. */
async function checkLog(log: EventLog, files: DataFiles): Promise<void> {
  if (statSync(files.log).size > MAXIMUM_BYTES_CHECKED_AT_START) return;
  for (let partition = 0; partition < log.identity.partitions; partition += 1) {
    const { corrupt } = await verifyChain(log, partition);
    if (corrupt !== undefined) throw corrupt;
  }
}

async function liveFigures(meter: PostingMeter, { control }: ProjectorRuntime): Promise<LiveFigures> {
  const { partitions, hottestAccount } = await control.status();
  return { commands: meter.commands, lagUs: Math.max(...partitions.map(({ lagUs }) => lagUs)), hottestAccount };
}
