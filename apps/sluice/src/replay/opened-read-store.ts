/**
 * The read store of a server that a replay has started, opened beside its projector. What it consists of is loaded only then: no other command waits
 * for it.
 */
import type { ReadStore } from '@sluice/ports';

export interface OpenedReadStore {
  readonly store: ReadStore;
  readonly close: () => Promise<void>;
}

export async function openSqliteReadStore(file: string): Promise<OpenedReadStore> {
  const [{ SqliteReadStore }, { READ_COLLECTIONS }] = await Promise.all([import('@sluice/store-sqlite'), import('@sluice/projections')]);
  const store = await SqliteReadStore.open({ file, collections: READ_COLLECTIONS });
  return { store, close: () => store.close() };
}

export async function openMongoReadStore(url: string): Promise<OpenedReadStore> {
  const [{ MongoConnection, MongoReadStore }, { READ_COLLECTIONS }] = await Promise.all([import('@sluice/store-mongo'), import('@sluice/projections')]);
  const connection = await MongoConnection.open({ url });
  const store = new MongoReadStore({ connection, collections: READ_COLLECTIONS });
  const close = async (): Promise<void> => {
    await store.close();
    await connection.close();
  };
  return { store, close };
}
