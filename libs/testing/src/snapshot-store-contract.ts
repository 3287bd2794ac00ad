/** What every `SnapshotStore` promises. */
import type { SnapshotStore } from '@sluice/ports';
import { hex, patternBytes } from './pattern-bytes';

/** One snapshot store's storage, fresh for a test. */
export interface SnapshotStoreFixture {
  open(): Promise<SnapshotStore>;
  /** Closes what is open and removes the storage. */
  dispose(): Promise<void>;
}

export function snapshotStoreContract(name: string, makeFixture: () => Promise<SnapshotStoreFixture>): void {
  describe(`snapshot store contract: ${name}`, () => {
    let fixture: SnapshotStoreFixture;
    let store: SnapshotStore;

    beforeEach(async () => {
      fixture = await makeFixture();
      store = await fixture.open();
    });

    afterEach(() => fixture.dispose());

    const block = (blockName: string, length = 10) => ({ name: blockName, bytes: patternBytes(blockName.length, length) });
    const read = async (blockName: string): Promise<string | undefined> => {
      const bytes = await store.get(blockName);
      return bytes && hex(bytes);
    };

    test('what was put is read back to the byte', async () => {
      await store.put([block('small', 1), block('empty', 0), block('large', 2_000_000)]);
      expect(await read('small')).toBe(hex(patternBytes(5, 1)));
      expect(await read('empty')).toBe('');
      expect(await read('large')).toBe(hex(patternBytes(5, 2_000_000)));
      expect(await store.get('missing')).toBeUndefined();
    });

    test('only the view is stored, and bytes may lie on shared memory', async () => {
      const shared = new Uint8Array(new SharedArrayBuffer(100));
      shared.set(patternBytes(1, 100));
      await store.put([
        { name: 'view', bytes: patternBytes(1, 100).subarray(10, 20) },
        { name: 'shared', bytes: shared.subarray(10, 20) },
      ]);
      expect(await read('view')).toBe(hex(patternBytes(1, 100).subarray(10, 20)));
      expect(await read('shared')).toBe(await read('view'));
    });

    test('a name that is put again has the new bytes', async () => {
      await store.put([block('a/1', 10)]);
      await store.put([{ name: 'a/1', bytes: patternBytes(9, 3) }]);
      expect(await read('a/1')).toBe(hex(patternBytes(9, 3)));
      expect(await store.list('')).toEqual(['a/1']);
    });

    test('names are listed by prefix, in their order', async () => {
      await store.put(['p/2/b', 'p/10/a', 'p/2/a', 'p/1', 'p', 'q/2', 'p%2/a', 'p_2/a', 'P/2/a'].map((blockName) => block(blockName)));
      expect(await store.list('p/2/')).toEqual(['p/2/a', 'p/2/b']);
      expect(await store.list('p/')).toEqual(['p/1', 'p/10/a', 'p/2/a', 'p/2/b']);
      expect(await store.list('')).toEqual(['P/2/a', 'p', 'p%2/a', 'p/1', 'p/10/a', 'p/2/a', 'p/2/b', 'p_2/a', 'q/2']);
      expect(await store.list('nothing')).toEqual([]);
    });

    test('a prefix removes exactly what starts with it', async () => {
      await store.put(['p/1/a', 'p/1/b', 'p/10', 'p/2', 'p%1/a'].map((blockName) => block(blockName)));
      await store.remove('p/1/');
      expect(await store.list('')).toEqual(['p%1/a', 'p/10', 'p/2']);
      expect(await store.get('p/1/a')).toBeUndefined();
      await store.remove('p/1/');
    });

    test('puts and removals that run at the same time all take effect', async () => {
      await Promise.all(Array.from({ length: 20 }, (_, at) => store.put([block(`many/${String(at).padStart(2, '0')}`, 1000)])));
      expect(await store.list('many/')).toHaveLength(20);
    });

    test('everything is there after it was closed and opened again', async () => {
      await store.put([block('kept', 5000)]);
      await store.close();
      store = await fixture.open();
      expect(await read('kept')).toBe(hex(patternBytes(4, 5000)));
    });
  });
}
