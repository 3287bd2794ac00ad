/** Snapshot blocks as documents: the name is the `_id`, so that blocks of a prefix stand together in its index. */
import { Binary, type Collection } from 'mongodb';

import type { SnapshotStore } from '@sluice/ports';

import type { MongoConnection } from './mongo-connection';

/** Above this no block is stored; MongoDB's own bound is 16 MiB a document. */
const MAX_BLOCK_BYTES = 15 * 1024 * 1024;
const BULK_BYTES = 16 * 1024 * 1024;

interface BlockDocument {
  readonly _id: string;
  readonly bytes: Binary;
}

export class MongoSnapshotStore implements SnapshotStore {
  readonly #blocks: Collection<BlockDocument>;

  constructor(connection: MongoConnection) {
    this.#blocks = connection.db.collection<BlockDocument>('snapshots');
  }

  async put(blocks: readonly { readonly name: string; readonly bytes: Uint8Array }[]): Promise<void> {
    const large = blocks.find(({ bytes }) => bytes.length > MAX_BLOCK_BYTES);
    if (large !== undefined) throw new RangeError(`block ${large.name} has ${large.bytes.length} bytes, ${MAX_BLOCK_BYTES} is the most`);
    let bulk: BlockDocument[] = [];
    let size = 0;
    for (const { name, bytes } of blocks) {
      if (bulk.length > 0 && size + bytes.length > BULK_BYTES) {
        await this.#write(bulk);
        bulk = [];
        size = 0;
      }
      bulk.push({ _id: name, bytes: new Binary(Buffer.from(bytes)) });
      size += bytes.length;
    }
    if (bulk.length > 0) await this.#write(bulk);
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    return (await this.#blocks.findOne({ _id: name }))?.bytes.value();
  }

  async list(prefix: string): Promise<string[]> {
    const documents = await this.#blocks
      .find(withPrefix(prefix), { projection: { _id: 1 } })
      .sort({ _id: 1 })
      .toArray();
    return documents.map(({ _id }) => _id);
  }

  async remove(prefix: string): Promise<void> {
    await this.#blocks.deleteMany(withPrefix(prefix));
  }

  async close(): Promise<void> {
    // The connection is closed by who opened it.
  }

  /** Ordered, because a name may come twice. */
  async #write(blocks: readonly BlockDocument[]): Promise<void> {
    await this.#blocks.bulkWrite(blocks.map((block) => ({ replaceOne: { filter: { _id: block._id }, replacement: block, upsert: true } })));
  }
}

/** Names from the prefix on, up to the first that cannot begin with it. */
function withPrefix(prefix: string): { _id?: { $gte: string; $lt: string } } {
  if (prefix === '') return {};
  const beyond = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
  return { _id: { $gte: prefix, $lt: beyond } };
}
