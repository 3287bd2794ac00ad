/**
 * The command service as a process of its own: it owns its share of the partitions, by leases, and sends requests for the others on
 * to their owners.
 *
 * An instance that starts while the lease service is away owns nothing and is not ready: it cannot know who owns what, and two that
 * guess would throw each other out of the log again and again. One that has partitions keeps them then, under the fence.
 */
import { unreadableLogAdvice } from '@sluice/engine';
import { runServiceProcess } from '@sluice/process';
import type { ReadStore } from '@sluice/ports';
import { logpb } from '@sluice/protocol';
import { ConfigurationError, partitionsOf, PeerConnections, RateLimitedLog, WELL_KNOWN_PORTS } from '@sluice/service';
import { MongoEventLog, MongoKeyring, MongoReadStore, MongoSnapshotStore, type ReadStoreSource } from '@sluice/store-mongo';
import { engineObserver } from '@sluice/telemetry';
import { COMMAND_CAPABILITIES } from './capabilities.generated';
import { type CommandRuntime, startCommand } from './command';
import { projectedSequence } from './projected-sequence';

/** An owner's death is noticed within this time; with loading, service is back in less than 5 s. */
const LEASE_TTL_MS = 2_400;
/** A database reads a log document by document: a partition is to be loaded within a second or two also by one that has just started. */
const SNAPSHOT_COMMITS = 250;

void runServiceProcess({
  service: 'command',
  port: WELL_KNOWN_PORTS.command,
  definitions: [...COMMAND_CAPABILITIES.flatMap(({ definitions }) => definitions), logpb.TimerServiceService, logpb.DeliveryServiceService],
  async open(opening) {
    const { configuration, clock, logger, telemetry, holder } = opening;
    const {
      keyringSecret: secret,
      pool,
      poolThreads,
      missingKeys,
      queueCommands,
      queueBytes,
      turnCommands,
      turnBytes,
      snapshotBytes,
      maxMessageBytes,
      deliveryAttempts,
      deliveryBudgetMs,
      shutdownGraceMs,
    } = configuration;
    const { proof, problem } = opening.peer;
    if (problem !== undefined) throw new ConfigurationError([problem]);
    if (secret === undefined || proof === undefined)
      throw new ConfigurationError(['SLUICE_KEYRING_SECRET must be given: all command instances seal signing keys and know each other by the same secret']);
    const connection = await opening.logDatabase();
    const readStoreOf = async (): Promise<ReadStoreSource | undefined> => {
      const database = await opening.readDatabaseIfAny();
      return database && new MongoReadStore({ connection: database, collections: [], clock }).source();
    };
    const log = opening.keep(
      await opening.patiently('the event log', () => MongoEventLog.open({ connection, partitions: partitionsOf(configuration), readStoreOf })),
      (opened) => opened.close(),
    );
    const snapshots = opening.keep(new MongoSnapshotStore(connection), (opened) => opened.close());
    const keyring = opening.keep(await opening.patiently('the keyring', () => MongoKeyring.open({ connection, secret })), (opened) => opened.close());
    const lease = await opening.leases(LEASE_TTL_MS);
    const { incarnation } = log.identity;
    const running: { command?: CommandRuntime; readStore?: ReadStore } = {};
    const collections = COMMAND_CAPABILITIES.flatMap(({ readCollections = [] }) => readCollections);
    const reached = opening.readDatabaseIfAny()?.then((database) => {
      running.readStore = opening.keep(new MongoReadStore({ connection: database, collections, clock }), (store) => store.close());
    });
    // It spares publishing, and capabilities compare it with the log: the process starts, and goes on, without it.
    reached?.catch((error: unknown) => logger.warn({ error }, 'the read store cannot be asked what it has'));
    const projected = reached && projectedSequence(() => running.readStore, incarnation);
    const republish = async (partition: number): Promise<void> => {
      const published = (await projected?.(partition)) ?? 0;
      running.command?.engine.partition(partition)?.republish(published + 1);
    };
    const onStreamLost = (): void => {
      for (const partition of running.command?.engine.owned ?? [])
        republish(partition).catch((error: unknown) =>
          logger.warn({ error, partition }, 'what the bus has lost is not published again; projectors read it from the log'),
        );
    };
    const bus = await opening.bus({ incarnation, onStreamLost });
    const measured = engineObserver(telemetry.metrics, logger);
    running.command = await startCommand({
      log,
      snapshots,
      bus,
      keyring,
      clock,
      instanceId: holder.id,
      settings: configuration,
      metrics: telemetry.metrics,
      pool,
      poolThreads,
      drainGraceMs: shutdownGraceMs,
      missingKeys,
      limits: {
        queueCommands,
        queueBytes,
        turnCommands,
        turnBytes,
        snapshotBytes,
        snapshotCommits: SNAPSHOT_COMMITS,
      },
      deliveryBudget: { attempts: deliveryAttempts, milliseconds: deliveryBudgetMs },
      observer: {
        ...measured,
        unreadable: (partition, error) => {
          measured.unreadable(partition, error, error && unreadableLogAdvice(error));
          opening.readiness.report(`partition ${partition}`, error?.message);
        },
      },
      projected,
      readStore: reached && (() => running.readStore),
      sharing: {
        lease,
        log: new RateLimitedLog(logger, clock),
        maximumMessageBytes: maxMessageBytes,
        transport: new PeerConnections({ ...opening.peer, proof, maximumMessageBytes: maxMessageBytes }, clock),
      },
    });
    const command = opening.keep(running.command, (runtime) => runtime.stop());
    opening.readiness.report('start', 'not every partition has an owner yet');
    void command.everyPartitionOwned.then(() => opening.readiness.report('start', undefined));
    opening.handOverBy(() => command.handOver());
    return command.registrations;
  },
});
