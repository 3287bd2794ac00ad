/** Every query that the read collections admit is answered by a declared index, without reading or sorting more than it returns. */
import type { ReadCopy } from '@sluice/ports';
import { READ_COLLECTIONS } from '@sluice/projections';
import { describeQuery, everyQueryOf } from '@sluice/testing';
import type { MongoConnection } from './mongo-connection';
import { MongoReadStore } from './mongo-read-store';
import { describeOnMongo, type FreshDatabase, freshDatabase } from './test/fresh-database';
import { planProblems } from './test/plan-problems';

describeOnMongo('query plans on MongoDB', () => {
  describe('of the read collections', () => {
    let database: FreshDatabase;
    let connection: MongoConnection;
    let store: MongoReadStore;
    let copy: ReadCopy;

    beforeAll(async () => {
      database = await freshDatabase();
      connection = await database.connect();
      store = new MongoReadStore({ connection, collections: READ_COLLECTIONS, identity: { incarnation: 'a'.repeat(32), partitions: 2 } });
      copy = await store.current();
    });

    afterAll(async () => {
      await store.close();
      await database.dispose();
    });

    test.each(READ_COLLECTIONS.map((definition) => [definition.name, definition] as const))('%s', async (_name, definition) => {
      for (const query of everyQueryOf(definition)) {
        expect([describeQuery(query), await planProblems(connection, definition, copy, query)]).toEqual([describeQuery(query), []]);
      }
    });
  });
});
