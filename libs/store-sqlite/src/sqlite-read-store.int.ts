import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@sluice/memory';
import type { CollectionDefinition, ReadCopy } from '@sluice/ports';
import { readStoreContract } from '@sluice/testing';
import { SqliteConnection } from './sqlite-connection';
import { SqliteReadStore, type SqliteReadStoreOptions } from './sqlite-read-store';

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
  return { open: (identity) => workplace.open({ collections, identity, readOnly: identity === undefined }), dispose: () => workplace.remove() };
});

const IDENTITY = { incarnation: '0123456789abcdef0123456789abcdef', partitions: 2 };
const NOTES: CollectionDefinition = { name: 'notes', key: 'note_id', fields: { note_id: 'text', body: 'text' }, indexes: [['body']] };
const SIGNED_NOTES: CollectionDefinition = { ...NOTES, fields: { ...NOTES.fields, signature: 'bytes' } };

function tables(file: string): string[] {
  const connection = new SqliteConnection(file, { readOnly: true });
  const names = connection.prepare("SELECT name FROM sqlite_schema WHERE name LIKE 'c_\\_%' ESCAPE '\\' AND type = 'table' ORDER BY name").all([]);
  connection.close();
  return names.map(([name]) => String(name));
}

async function putNote(copy: ReadCopy): Promise<void> {
  const writes = [{ kind: 'put', collection: 'notes', row: { note_id: 'a', body: 'x' } }] as const;
  await copy.apply({ partition: 0, previousSequence: 0, sequence: 1, committedAtUs: 1, writes });
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
    await store.activate(await store.beginCopy(IDENTITY));
    expect(tables(workplace.file)).toEqual(['c1_notes', 'c2_notes']);
    await clock.elapse(29_999);
    expect(tables(workplace.file)).toEqual(['c1_notes', 'c2_notes']);
    await clock.elapse(1);
    await store.close();
    expect(tables(workplace.file)).toEqual(['c2_notes']);

    const later = await workplace.open({ collections: [NOTES], identity: IDENTITY, clock, graceMs: 30_000 });
    await later.activate(await later.beginCopy(IDENTITY));
    await later.close();
    clock.advance(30_000);
    const latest = await workplace.open({ collections: [NOTES], identity: IDENTITY, clock, graceMs: 30_000 });
    await latest.beginCopy(IDENTITY);
    expect(tables(workplace.file)).toEqual(['c3_notes', 'c4_notes']);
  });

  test('a copy made for other collections counts as none for the projector, and stops a query', async () => {
    const old = await workplace.open({ collections: [NOTES], identity: IDENTITY });
    await putNote(await old.current());
    await old.close();

    const query = await workplace.open({ collections: [SIGNED_NOTES], readOnly: true });
    expect(await query.incarnation()).toBeUndefined();
    await expect(query.current()).rejects.toThrow(/another version/);

    const projector = await workplace.open({ collections: [SIGNED_NOTES], identity: IDENTITY });
    expect(await projector.incarnation()).toBeUndefined();
    expect(await (await projector.current()).checkpoints()).toEqual([]);
    expect(await projector.incarnation()).toBe(IDENTITY.incarnation);
    expect(await (await query.current()).get('notes', 'a')).toBeUndefined();
  });

  test('a store that only reads writes nothing', async () => {
    const store = await workplace.open({ collections: [NOTES], identity: IDENTITY });
    await store.current();
    const query = await workplace.open({ collections: [NOTES], readOnly: true });
    await expect(putNote(await query.current())).rejects.toThrow(/readonly/);
  });
});
