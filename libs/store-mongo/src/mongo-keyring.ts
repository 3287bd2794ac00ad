/**
 * Signing keys in MongoDB, each sealed with AES-256-GCM and bound to its id, so that a sealed key moved to another id does
 * not open. The sealing key is made from the keyring's secret by scrypt, with a salt that stands beside the keys; the secret
 * itself never reaches the database. Another secret than the keyring was begun with is refused when it is opened.
 */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { type AnyBulkWriteOperation, Binary, type Collection, MongoBulkWriteError, MongoServerError } from 'mongodb';
import { derivedKeyOf, type AccountKey, type Keyring } from '@sluice/ports';
import { DUPLICATE_KEY } from './log-identity-document';
import type { MongoConnection } from './mongo-connection';

const CIPHER = 'aes-256-gcm';
const SEALING_KEY_BYTES = 32;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** 32 MiB and some ten milliseconds, once at start. */
const SCRYPT = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
const MIN_SECRET_LENGTH = 16;
/** Keys kept in memory; above it the one that came first goes. */
const MAX_CACHED_KEYS = 1_000_000;

/** Keys that are sealed in one round of the event loop; some milliseconds. */
const SEALED_PER_ROUND = 256;

/** No key has this id: theirs are 32 hex digits. */
const SEALING = 'sealing';

interface KeyDocument {
  readonly _id: string;
  readonly accountId?: string;
  /** Of the document "sealing". */
  readonly salt?: Binary;
  /** Nonce, tag, sealed bytes. */
  readonly sealed: Binary;
}

/** The secret does not fit the keyring, or what it is sealed with is missing. The operator must change something. */
export class KeyringSecretError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'KeyringSecretError';
  }
}

export class MongoKeyring implements Keyring {
  readonly #cache = new Map<string, Uint8Array>();

  private constructor(
    private readonly keys: Collection<KeyDocument>,
    private readonly sealingKey: Buffer,
  ) {}

  static async open(options: { readonly connection: MongoConnection; readonly secret: string }): Promise<MongoKeyring> {
    if (options.secret.length < MIN_SECRET_LENGTH) throw new KeyringSecretError(`the keyring's secret must have ${MIN_SECRET_LENGTH} characters or more`);
    const keys = options.connection.db.collection<KeyDocument>('keyring');
    const sealing = (await keys.findOne({ _id: SEALING })) ?? (await begin(keys, options.secret));
    const sealingKey = await deriveSealingKey(options.secret, (sealing.salt as Binary).value());
    if (open(sealingKey, SEALING, sealing.sealed.value()) === undefined)
      throw new KeyringSecretError('the keyring was sealed under another secret than the one configured');
    return new MongoKeyring(keys, sealingKey);
  }

  async store(keys: readonly AccountKey[]): Promise<void> {
    for (const { keyId, key } of keys) this.#remember(keyId, key);
    const writes: AnyBulkWriteOperation<KeyDocument>[] = [];
    for (const { keyId, accountId, key } of keys) {
      const document = { accountId, sealed: new Binary(seal(this.sealingKey, keyId, key)) };
      writes.push({ updateOne: { filter: { _id: keyId }, update: { $setOnInsert: document }, upsert: true } });
      if (writes.length % SEALED_PER_ROUND === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    }
    if (writes.length > 0) await this.#write(writes);
  }

  async load(keyId: string): Promise<Uint8Array | undefined> {
    const known = this.#cache.get(keyId);
    if (known !== undefined || keyId === SEALING) return known;
    const document = await this.keys.findOne({ _id: keyId });
    if (document === null) return undefined;
    const key = open(this.sealingKey, keyId, document.sealed.value());
    if (key === undefined) throw new Error(`key ${keyId} does not open: what the keyring has of it was changed`);
    this.#remember(keyId, key);
    return key;
  }

  async missing(keyIds: readonly string[]): Promise<string[]> {
    const documents = await this.keys.find({ _id: { $in: [...keyIds] } }, { projection: { _id: 1 } }).toArray();
    const stored = new Set(documents.map(({ _id }) => _id));
    return keyIds.filter((keyId) => !stored.has(keyId));
  }

  cached(keyId: string): Uint8Array | undefined {
    return this.#cache.get(keyId);
  }

  derivedKey(purpose: string): Uint8Array {
    return derivedKeyOf(this.sealingKey, purpose);
  }

  async close(): Promise<void> {
    this.#cache.clear();
  }

  /** Two owners of a partition may insert the same key at once: then one finds the other's, which is the same. */
  async #write(writes: AnyBulkWriteOperation<KeyDocument>[]): Promise<void> {
    try {
      await this.keys.bulkWrite(writes, { ordered: false });
    } catch (error) {
      if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError() !== undefined) throw error;
      if ([error.writeErrors].flat().some(({ code }) => code !== DUPLICATE_KEY)) throw error;
    }
  }

  #remember(keyId: string, key: Uint8Array): void {
    const [first] = this.#cache.keys();
    if (first !== undefined && this.#cache.size >= MAX_CACHED_KEYS) this.#cache.delete(first);
    this.#cache.set(keyId, key);
  }
}

/** Begins an empty keyring under the secret, or takes what another process began in the same moment. */
async function begin(keys: Collection<KeyDocument>, secret: string): Promise<KeyDocument> {
  const left = await keys.countDocuments({ accountId: { $exists: true } });
  if (left > 0) {
    // Another process may have begun it meanwhile.
    const begun = await keys.findOne({ _id: SEALING });
    if (begun !== null) return begun;
    throw new KeyringSecretError(
      `the keyring has ${left} signing keys, but no document "${SEALING}", without which none of them opens: restore the collection "keyring" from a backup`,
    );
  }
  const salt = randomBytes(SALT_BYTES);
  const sealed = seal(await deriveSealingKey(secret, salt), SEALING, randomBytes(SALT_BYTES));
  const document: KeyDocument = { _id: SEALING, salt: new Binary(salt), sealed: new Binary(sealed) };
  try {
    await keys.insertOne(document);
    return document;
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== DUPLICATE_KEY) throw error;
    return (await keys.findOne({ _id: SEALING })) as KeyDocument;
  }
}

function deriveSealingKey(secret: string, salt: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(secret, salt, SEALING_KEY_BYTES, SCRYPT, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

function seal(sealingKey: Buffer, id: string, plain: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, sealingKey, nonce).setAAD(Buffer.from(id));
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
}

/** Undefined: it was sealed under another key or another id, or changed. */
function open(sealingKey: Buffer, id: string, bytes: Uint8Array): Uint8Array | undefined {
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
  try {
    const decipher = createDecipheriv(CIPHER, sealingKey, nonce).setAAD(Buffer.from(id)).setAuthTag(tag);
    return new Uint8Array(Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]));
  } catch {
    return undefined;
  }
}
