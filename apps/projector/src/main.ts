/**
 * The projector as a process of its own. It reads the event log and never writes it, so its credentials need not allow that.
 * It projects the partitions whose leases it holds; one that starts while the lease service is away waits for it.
 */
import { runServiceProcess } from '@sluice/process';
import { READ_COLLECTIONS } from '@sluice/projections';
import { logpb, projectionpb } from '@sluice/protocol';
import { partitionsOf, WELL_KNOWN_PORTS } from '@sluice/service';
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
    const log = opening.keep(
      await opening.patiently('the event log', () => MongoEventLog.open({ connection: logDatabase, partitions, readOnly: true })),
      (opened) => opened.close(),
    );
    const { incarnation } = log.identity;
    const identity = { incarnation, partitions };
    const store = opening.keep(new MongoReadStore({ connection: readDatabase, collections: READ_COLLECTIONS, identity, clock }), (opened) => opened.close());
    const lease = await opening.leases(LEASE_TTL_MS);
    const bus = await opening.bus({ incarnation, reader: 'projector' });
    const observer = projectorObserver(telemetry.metrics, logger);
    const projector = await opening.patiently('the read store', () => startProjector({ log, store, bus, lease, clock, observer, writing: 'at once' }));
    return opening.keep(projector, (runtime) => runtime.stop()).registrations;
  },
});
