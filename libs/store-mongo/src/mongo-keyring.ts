/**
 * Signing keys in MongoDB, each sealed with AES-256-GCM under the keyring's secret and bound to its id, so that a sealed key
 * moved to another id does not open. The secret never reaches the database.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

import { Binary, type Collection } from 'mongodb';

import { deriveKeyId, type Keyring } from '@sluice/ports';

import type { MongoConnection } from './mongo-connection';

const CIPHER = 'aes-256-gcm';
const SECRET_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Keys kept in memory; above it the one that came first goes. */
const MAX_CACHED_KEYS = 1_000_000;

interface KeyDocument {
  readonly _id: string;
  readonly accountId: string;
  /** Nonce, tag, sealed key. */
  readonly sealed: Binary;
}

export class MongoKeyring implements Keyring {
  readonly #keys: Collection<KeyDocument>;
  readonly #cache = new Map<string, Uint8Array>();

  constructor(private readonly options: { readonly connection: MongoConnection; readonly secret: Uint8Array }) {
    if (options.secret.length !== SECRET_BYTES) throw new RangeError(`the keyring's secret has ${options.secret.length} bytes, ${SECRET_BYTES} are needed`);
    this.#keys = options.connection.db.collection<KeyDocument>('keyring');
  }

  async store(accountId: string, key: Uint8Array): Promise<string> {
    const keyId = deriveKeyId(accountId, key);
    const document = { _id: keyId, accountId, sealed: new Binary(this.#seal(keyId, key)) };
    await this.#keys.replaceOne({ _id: keyId }, document, { upsert: true });
    this.#remember(keyId, new Uint8Array(key));
    return keyId;
  }

  async load(keyId: string): Promise<Uint8Array | undefined> {
    const known = this.#cache.get(keyId);
    if (known !== undefined) return known;
    const document = await this.#keys.findOne({ _id: keyId });
    if (document === null) return undefined;
    const key = this.#open(keyId, document.sealed.value());
    this.#remember(keyId, key);
    return key;
  }

  cached(keyId: string): Uint8Array | undefined {
    return this.#cache.get(keyId);
  }

  async close(): Promise<void> {
    this.#cache.clear();
  }

  #remember(keyId: string, key: Uint8Array): void {
    if (this.#cache.size >= MAX_CACHED_KEYS) {
      for (const first of this.#cache.keys()) {
        this.#cache.delete(first);
        break;
      }
    }
    this.#cache.set(keyId, key);
  }

  #seal(keyId: string, key: Uint8Array): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.options.secret, nonce).setAAD(Buffer.from(keyId));
    const sealed = Buffer.concat([cipher.update(key), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
  }

  #open(keyId: string, bytes: Uint8Array): Uint8Array {
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
    const decipher = createDecipheriv(CIPHER, this.options.secret, nonce).setAAD(Buffer.from(keyId)).setAuthTag(tag);
    try {
      return new Uint8Array(Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]));
    } catch {
      throw new Error(`key ${keyId} does not open: it was sealed under another secret, or changed`);
    }
  }
}
