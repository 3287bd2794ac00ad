/** The query service as a process of its own: it opens the read store and nothing else. */
import { runServiceProcess } from '@sluice/process';
import { READ_COLLECTIONS } from '@sluice/projections';
import { WELL_KNOWN_PORTS } from '@sluice/service';
import { MongoReadStore } from '@sluice/store-mongo';
import { QUERY_CAPABILITIES } from './capabilities.generated';
import { startQuery } from './query';

void runServiceProcess({
  service: 'query',
  port: WELL_KNOWN_PORTS.query,
  definitions: QUERY_CAPABILITIES.flatMap(({ definitions }) => definitions),
  async open(opening) {
    const { clock, logger } = opening;
    const connection = await opening.readDatabase();
    const readStore = opening.keep(new MongoReadStore({ connection, collections: READ_COLLECTIONS, clock }), (store) => store.close());
    const query = opening.keep(await startQuery({ readStore, clock, logger }), (runtime) => runtime.stop());
    await query.ready;
    return query.registrations;
  },
});
