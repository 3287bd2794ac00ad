/** The read store of a server that a replay has started, opened beside its projector. */
import type { ReadStore } from '@sluice/ports';
import { READ_COLLECTIONS } from '@sluice/projections';
import { SqliteReadStore } from '@sluice/store-sqlite';

export interface OpenedReadStore {
  readonly store: ReadStore;
  readonly close: () => Promise<void>;
}

export async function openSqliteReadStore(file: string): Promise<OpenedReadStore> {
  const store = await SqliteReadStore.open({ file, collections: READ_COLLECTIONS });
  return { store, close: () => store.close() };
}

export async function openMongoReadStore(url: string): Promise<OpenedReadStore> {
  // Only here: everybody else need not wait for the driver.
  const { MongoConnection, MongoReadStore } = await import('@sluice/store-mongo');
  const connection = await MongoConnection.open({ url });
  const store = new MongoReadStore({ connection, collections: READ_COLLECTIONS });
  const close = async (): Promise<void> => {
    await store.close();
    await connection.close();
  };
  return { store, close };
}
