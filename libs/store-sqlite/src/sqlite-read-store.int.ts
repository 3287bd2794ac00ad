import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ManualClock } from '@sluice/memory';
import type { CollectionDefinition, ReadCopy } from '@sluice/ports';
import { readStoreContract } from '@sluice/testing';
import { SqliteConnection } from './sqlite-connection';
import { SqliteReadStore, type SqliteReadStoreOptions } from './sqlite-read-store';
import { planProblems } from './test/plan-problems';

/** A folder of its own, and the stores that were opened in it. */
class Workplace {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-read-'));
  readonly file = join(this.folder, 'read.db');
  readonly #opened: SqliteReadStore[] = [];

  async open(options: Omit<SqliteReadStoreOptions, 'file'>): Promise<SqliteReadStore> {
    const store = await SqliteReadStore.open({ file: this.file, ...options });
    this.#opened.push(store);
    return store;
  }

  async remove(): Promise<void> {
    await Promise.all(this.#opened.map((store) => store.close()));
    rmSync(this.folder, { recursive: true });
  }
}

readStoreContract('sqlite', async (collections) => {
  const workplace = new Workplace();
  return {
    open: (identity, others = collections) => workplace.open({ collections: others, identity, readOnly: identity === undefined }),
    planProblems,
    dispose: () => workplace.remove(),
  };
});

const IDENTITY = { incarnation: '0123456789abcdef0123456789abcdef', partitions: 2 };
const NOTES: CollectionDefinition = { name: 'notes', key: 'note_id', fields: { note_id: 'text', body: 'text' }, indexes: { by_body: ['body'] } };
const UNINDEXED_NOTES: CollectionDefinition = { ...NOTES, indexes: {} };
const SIGNED_NOTES: CollectionDefinition = { ...NOTES, fields: { ...NOTES.fields, signature: 'bytes' } };

/** Writes 50 batches, each of which gives all of 100 rows another body. */
const PROJECTING_THREAD = `
  const { workerData } = require('node:worker_threads');
  const { SqliteReadStore } = require(workerData.library);
  (async () => {
    const store = await SqliteReadStore.open(workerData);
    const copy = await store.current();
    for (let sequence = 1; sequence <= 50; sequence += 1) {
      const writes = Array.from({ length: 100 }, (_, at) => ({ kind: 'put', collection: 'notes', row: { note_id: String(at), body: String(sequence) } }));
      await copy.apply({ partition: 0, projections: ['note@1'], previousSequence: sequence - 1, sequence, committedAtUs: sequence, writes });
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await store.close();
  })();`;

function tables(file: string): string[] {
  const connection = new SqliteConnection(file, { readOnly: true });
  const names = connection.prepare("SELECT name FROM sqlite_schema WHERE name LIKE 'c_\\_%' ESCAPE '\\' AND type = 'table' ORDER BY name").all([]);
  connection.close();
  return names.map(([name]) => String(name));
}

async function putNote(copy: ReadCopy): Promise<void> {
  const writes = [{ kind: 'put', collection: 'notes', row: { note_id: 'a', body: 'x' } }] as const;
  await copy.apply({ partition: 0, projections: ['note@1'], previousSequence: 0, sequence: 1, committedAtUs: 1, writes });
}

describe('the read store on SQLite', () => {
  let workplace: Workplace;

  beforeEach(() => {
    workplace = new Workplace();
  });

  afterEach(() => workplace.remove());

  test('a replaced copy is removed after the grace time, or at the next rebuild', async () => {
    const clock = new ManualClock();
    const store = await workplace.open({ collections: [NOTES], identity: IDENTITY, clock, graceMs: 30_000 });
    await store.current();
    await store.activate(await store.beginSwitch(await store.beginCopy(IDENTITY)));
    expect(tables(workplace.file)).toEqual(['c1_notes', 'c2_notes']);
    await clock.elapse(29_999);
    expect(tables(workplace.file)).toEqual(['c1_notes', 'c2_notes']);
    await clock.elapse(1);
    await store.close();
    expect(tables(workplace.file)).toEqual(['c2_notes']);

    const later = await workplace.open({ collections: [NOTES], identity: IDENTITY, clock, graceMs: 30_000 });
    await later.activate(await later.beginSwitch(await later.beginCopy(IDENTITY)));
    await later.close();
    clock.advance(30_000);
    const latest = await workplace.open({ collections: [NOTES], identity: IDENTITY, clock, graceMs: 30_000 });
    await latest.beginCopy(IDENTITY);
    expect(tables(workplace.file)).toEqual(['c3_notes', 'c4_notes']);
  });

  test('a collection whose fields changed without a new format is refused', async () => {
    const old = await workplace.open({ collections: [NOTES], identity: IDENTITY });
    await putNote(await old.current());
    await old.close();
    for (const options of [{ readOnly: true }, { identity: IDENTITY }]) {
      const changed = await workplace.open({ collections: [SIGNED_NOTES], ...options });
      await expect(changed.current()).rejects.toThrow(/notes has other fields .* needs a new format/);
    }
    const renewed = await (await workplace.open({ collections: [{ ...SIGNED_NOTES, format: 2 }], identity: IDENTITY })).current();
    expect(await renewed.get('notes', 'a')).toBeUndefined();
  });

  test('a file of an earlier version, whose checkpoints are of no projection, is filled anew', async () => {
    const old = await workplace.open({ collections: [NOTES], identity: IDENTITY });
    await putNote(await old.current());
    await old.close();
    const connection = new SqliteConnection(workplace.file, { synchronous: 'NORMAL' });
    connection.exec(`DROP TABLE projection_checkpoints;
      CREATE TABLE checkpoints (copy INTEGER, partition INTEGER, sequence INTEGER, committed_at_us INTEGER, PRIMARY KEY (copy, partition)) WITHOUT ROWID;
      ALTER TABLE copies ADD COLUMN collections TEXT NOT NULL DEFAULT '';`);
    connection.close();
    const query = await workplace.open({ collections: [NOTES], readOnly: true });
    expect(await (await query.current()).checkpoints()).toEqual([]);
    const projector = await workplace.open({ collections: [NOTES], identity: IDENTITY });
    await putNote(await projector.current());
    expect(await (await query.current()).checkpoints()).toEqual([{ partition: 0, projection: 'note@1', sequence: 1, committedAtUs: 1 }]);
  });

  test.each([{ readOnly: true }, { readOnly: false }])('an index that was declared since is made over the rows that are there: %j', async ({ readOnly }) => {
    const earlier = await workplace.open({ collections: [UNINDEXED_NOTES], identity: IDENTITY });
    const { name } = await earlier.current();
    await putNote(await earlier.current());
    await earlier.close();
    const store = await workplace.open({ collections: [NOTES], readOnly, ...(!readOnly && { identity: IDENTITY }) });
    const copy = await store.current();
    expect(copy.name).toBe(name);
    expect((await copy.find({ collection: 'notes', index: 'by_body', equals: { body: 'x' }, limit: 1 })).rows).toEqual([{ note_id: 'a', body: 'x' }]);
  });

  test('a thread that projects does not disturb one that queries: every read sees whole batches', async () => {
    const query = await workplace.open({ collections: [NOTES], identity: IDENTITY, readOnly: true });
    const copy = await query.current();
    const projector = new Worker(PROJECTING_THREAD, {
      eval: true,
      execArgv: [],
      workerData: { library: join(__dirname, '..', 'dist', 'index.js'), file: workplace.file, collections: [NOTES], identity: IDENTITY },
    });
    const ended = once(projector, 'exit');
    let heard = 0;
    const changed = new Promise<void>((resolve) => {
      query.onChange(() => {
        heard += 1;
        if (heard === 3) resolve();
      });
    });
    let reads = 0;
    for (let sequence = 0; sequence < 50; reads += 1) {
      const { rows } = await copy.find({ collection: 'notes', limit: 100 });
      expect(new Set(rows.map((row) => row['body'])).size).toBeLessThanOrEqual(1);
      sequence = (await copy.checkpoints())[0]?.sequence ?? 0;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    expect(await ended).toEqual([0]);
    expect(reads).toBeGreaterThan(1);
    await changed;
  });

  test('a store that only reads writes nothing', async () => {
    const store = await workplace.open({ collections: [NOTES], identity: IDENTITY });
    await store.current();
    const query = await workplace.open({ collections: [NOTES], readOnly: true });
    await expect(putNote(await query.current())).rejects.toThrow(/readonly/);
  });
});
