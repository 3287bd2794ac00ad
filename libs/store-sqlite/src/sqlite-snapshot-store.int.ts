import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { snapshotStoreContract } from '@sluice/testing';
import { SqliteSnapshotStore } from './sqlite-snapshot-store';

snapshotStoreContract('sqlite', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-snapshots-'));
  const opened: SqliteSnapshotStore[] = [];
  return {
    open: async () => {
      const store = await SqliteSnapshotStore.open({ file: join(folder, 'snapshots.db') });
      opened.push(store);
      return store;
    },
    dispose: async () => {
      await Promise.all(opened.map((store) => store.close()));
      rmSync(folder, { recursive: true });
    },
  };
});
