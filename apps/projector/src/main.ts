/**
 * The projector as a process of its own. It reads the event log and never writes it, so its credentials need not allow that.
 * It projects the partitions whose leases it holds; one that starts while the lease service is away waits for it.
 */
import { runServiceProcess } from '@sluice/process';
import type { LogIdentity } from '@sluice/ports';
import { READ_COLLECTIONS } from '@sluice/projections';
import { logpb, projectionpb } from '@sluice/protocol';
import { ConfigurationError, partitionsOf, WELL_KNOWN_PORTS } from '@sluice/service';
import { MongoEventLog, MongoReadStore } from '@sluice/store-mongo';
import { projectorObserver } from '@sluice/telemetry';
import { startProjector } from './start-projector';

/** The partitions of a projector that dies stand still for so long. */
const LEASE_TTL_MS = 6_000;

void runServiceProcess({
  service: 'projector',
  port: WELL_KNOWN_PORTS.projector,
  definitions: [projectionpb.ProjectionServiceService, logpb.LogServiceService],
  async open(opening) {
    const { configuration, clock, logger, telemetry } = opening;
    const partitions = partitionsOf(configuration);
    const logDatabase = await opening.logDatabase();
    const readDatabase = await opening.readDatabase();
    const readStoreOf = () => new MongoReadStore({ connection: readDatabase, collections: [], clock }).source();
    const log = opening.keep(
      await opening.patiently('the event log', () => MongoEventLog.open({ connection: logDatabase, partitions, readOnly: true, readStoreOf })),
      (opened) => opened.close(),
    );
    const { incarnation } = log.identity;
    const identity = { incarnation, partitions };
    const store = opening.keep(new MongoReadStore({ connection: readDatabase, collections: READ_COLLECTIONS, identity, clock }), (opened) => opened.close());
    const storeOf = await opening.patiently('the read store', () => store.incarnation());
    if (!isOfLog(storeOf, log.identity)) {
      throw new ConfigurationError([
        `the read store at ${readDatabase.describe} was made from another log (${storeOf}) than the one at ${logDatabase.describe} (${incarnation}); nothing was changed: ` +
          'check SLUICE_LOG_URL and SLUICE_READ_URL, or drop the database of the read store: it is made anew from the log',
      ]);
    }
    const lease = await opening.leases(LEASE_TTL_MS);
    const bus = await opening.bus({ incarnation, reader: 'projector' });
    const observer = projectorObserver(telemetry.metrics, logger);
    const projector = await opening.patiently('the read store', () => startProjector({ log, store, bus, lease, clock, observer, writing: 'at once' }));
    return opening.keep(projector, (runtime) => runtime.stop()).registrations;
  },
});

/** A read store that was made from a former incarnation of the log is made anew; one of another log belongs to somebody else. */
function isOfLog(storeOf: string | undefined, { incarnation, formerIncarnations = [] }: LogIdentity): boolean {
  return storeOf === undefined || storeOf === incarnation || formerIncarnations.includes(storeOf);
}
