/** Every query that the read collections admit is answered by a declared index, without reading or sorting more than it returns. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReadCopy } from '@sluice/ports';
import { READ_COLLECTIONS } from '@sluice/projections';
import { describeQuery, everyQueryOf } from '@sluice/testing';
import { SqliteReadStore } from './sqlite-read-store';
import { planProblems } from './test/plan-problems';

describe('query plans on SQLite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-plans-'));
  let store: SqliteReadStore;
  let copy: ReadCopy;

  beforeAll(async () => {
    store = await SqliteReadStore.open({
      file: join(folder, 'read.db'),
      collections: READ_COLLECTIONS,
      identity: { incarnation: 'a'.repeat(32), partitions: 2 },
    });
    copy = await store.current();
  });

  afterAll(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  test.each(READ_COLLECTIONS.map((definition) => [definition.name, definition] as const))('%s', async (_name, definition) => {
    for (const query of everyQueryOf(definition)) {
      expect([describeQuery(query), await planProblems(copy, query)]).toEqual([describeQuery(query), []]);
    }
  });
});
