/**
 * The snapshot store on an SQLite file: named blocks, written by a thread of its own (durable when `put` resolves), read by
 * a connection in the calling thread.
 */
import type { SnapshotStore } from '@sluice/ports';
import { afterPrefix, type Block, type BlockRequest, type BlockWriterOptions } from './block-writer';
import { SqliteConnection, type SqlStatement } from './sqlite-connection';
import { ownBytes, StorageThread } from './storage-thread';
import { readingDataFile } from './unreadable-data-file';

export class SqliteSnapshotStore implements SnapshotStore {
  readonly #thread: StorageThread<BlockRequest>;
  readonly #connection: SqliteConnection;
  readonly #get: SqlStatement;
  readonly #list: SqlStatement;
  readonly #absent: SqlStatement;
  #closed = false;

  private constructor(thread: StorageThread<BlockRequest>, connection: SqliteConnection) {
    this.#thread = thread;
    this.#connection = connection;
    this.#get = connection.prepare('SELECT bytes FROM blocks WHERE name = ?');
    this.#list = connection.prepare('SELECT name FROM blocks WHERE name >= ? AND name < ? ORDER BY name');
    this.#absent = connection.prepare('SELECT value FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM blocks WHERE name = value)');
  }

  /** @param writerDied the writing thread died, or could not be started again: it is tried again. */
  static async open({ file, writerDied }: { readonly file: string; readonly writerDied?: (error: Error) => void }): Promise<SqliteSnapshotStore> {
    const data: BlockWriterOptions = { file };
    const { thread } = await StorageThread.start<BlockRequest, undefined>({
      name: 'block-writer',
      description: `the thread of ${file}`,
      data,
      died: writerDied,
    });
    try {
      return new SqliteSnapshotStore(thread, new SqliteConnection(file, { readOnly: true }));
    } catch (error) {
      await thread.close();
      throw error;
    }
  }

  /** All of the blocks or none. */
  async put(blocks: readonly Block[]): Promise<void> {
    await this.#thread.request({ kind: 'put', blocks: blocks.map(({ name, bytes }) => ({ name, bytes: ownBytes(bytes) })) });
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    return readingDataFile(this.#connection.file, () => this.#get.get([name])?.[0] as Uint8Array | undefined);
  }

  async list(prefix: string): Promise<string[]> {
    return readingDataFile(this.#connection.file, () => this.#list.all([prefix, afterPrefix(prefix)]).map(([name]) => String(name)));
  }

  /** Those of the names that no block has. */
  async absent(names: readonly string[]): Promise<string[]> {
    return readingDataFile(this.#connection.file, () => this.#absent.all([JSON.stringify(names)]).map(([name]) => String(name)));
  }

  async remove(prefix: string): Promise<void> {
    await this.#thread.request({ kind: 'remove', prefix });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
    await this.#thread.close();
  }
}
