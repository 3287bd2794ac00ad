/**
 * Writes a file of named blocks (snapshots, sealed keys), in its own thread. Requests that wait at the same time share one
 * transaction and its fsync.
 */
import { SqliteConnection, type SqlStatement } from './sqlite-connection';
import { failureOf, type Outcome, type StorageService } from './storage-thread-server';

export interface Block {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export type BlockRequest = { readonly kind: 'put'; readonly blocks: readonly Block[] } | { readonly kind: 'remove'; readonly prefix: string };

export interface BlockWriterOptions {
  readonly file: string;
}

const PAGE_BYTES = 8192;
/** Bytes in the write-ahead log after which it is copied into the file. */
const CHECKPOINT_BYTES = 16 * 1024 * 1024;

export class BlockWriter implements StorageService<BlockRequest> {
  readonly #connection: SqliteConnection;
  readonly #put: SqlStatement;
  readonly #remove: SqlStatement;
  #walBytes = 0;

  constructor(options: BlockWriterOptions) {
    this.#connection = new SqliteConnection(options.file, { synchronous: 'FULL', pageSize: PAGE_BYTES, autoCheckpointPages: 0 });
    this.#connection.exec('CREATE TABLE IF NOT EXISTS blocks (name TEXT NOT NULL PRIMARY KEY, bytes BLOB NOT NULL)');
    this.#put = this.#connection.prepare('INSERT INTO blocks (name, bytes) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET bytes = excluded.bytes');
    this.#remove = this.#connection.prepare('DELETE FROM blocks WHERE name >= ? AND name < ?');
  }

  carryOut(group: readonly BlockRequest[]): Outcome[] {
    try {
      this.#connection.transaction(() => {
        for (const request of group) this.#carryOutOne(request);
      });
      return group.map(() => ({ value: undefined }));
    } catch (error) {
      if (group.length > 1) return group.flatMap((request) => this.carryOut([request]));
      return group.map(() => ({ failure: failureOf(error) }));
    }
  }

  afterGroup(): void {
    if (this.#walBytes < CHECKPOINT_BYTES) return;
    try {
      this.#connection.checkpoint('passive');
      this.#walBytes = 0;
    } catch {
      // Nothing is lost: the blocks stand in the write-ahead log, and the next group tries again.
    }
  }

  close(): void {
    this.#connection.closeEmptied();
  }

  #carryOutOne(request: BlockRequest): void {
    if (request.kind === 'remove') {
      this.#remove.run([request.prefix, afterPrefix(request.prefix)]);
      return;
    }
    for (const block of request.blocks) {
      this.#put.run([block.name, block.bytes]);
      this.#walBytes += block.bytes.length + PAGE_BYTES;
    }
  }
}

/** Above every name that starts with the prefix: names are made of characters below the highest one. */
export function afterPrefix(prefix: string): string {
  return `${prefix}\u{10ffff}`;
}
