/**
 * The keyring on an SQLite file: every key is a block sealed under the keyring's secret, bound to its id. The file alone
 * says nothing about the keys. Keys that were used stay in memory.
 */
import { randomBytes } from 'node:crypto';
import { derivedKeyOf, type AccountKey, type Keyring } from '@sluice/ports';
import { KeyringSecretError, sealingKey, secretFromFile } from './keyring-secret';
import { seal, unseal } from './sealed-box';
import { SqliteSnapshotStore } from './sqlite-snapshot-store';

export interface SqliteKeyringOptions {
  readonly file: string;
  /** The secret, or where it is kept (made there at the first start, mode 0600). */
  readonly secret: { readonly value: string } | { readonly file: string };
  /** The writing thread died, or could not be started again: it is tried again. */
  readonly writerDied?: (error: Error) => void;
}

const SALT_BLOCK = 'keyring/salt';
/** A known value sealed under the secret: by it another secret is noticed at start. */
const CHECK_BLOCK = 'keyring/check';
const KEY_PREFIX = 'key/';
/** Keys that are sealed in one round of the event loop; some milliseconds. */
const SEALED_PER_ROUND = 256;
const CHECK_VALUE = new Uint8Array(Buffer.from('sluice keyring'));

export class SqliteKeyring implements Keyring {
  readonly #blocks: SqliteSnapshotStore;
  readonly #sealingKey: Uint8Array;
  readonly #cached = new Map<string, Uint8Array>();

  private constructor(blocks: SqliteSnapshotStore, key: Uint8Array) {
    this.#blocks = blocks;
    this.#sealingKey = key;
  }

  static async open(options: SqliteKeyringOptions): Promise<SqliteKeyring> {
    const blocks = await SqliteSnapshotStore.open({ file: options.file, writerDied: options.writerDied });
    try {
      const storedSalt = await blocks.get(SALT_BLOCK);
      const secret = 'value' in options.secret ? options.secret.value : secretFromFile(options.secret.file, storedSalt === undefined);
      const salt = storedSalt ?? randomBytes(16);
      const key = sealingKey(secret, salt);
      if (storedSalt === undefined) {
        await blocks.put([
          { name: SALT_BLOCK, bytes: salt },
          { name: CHECK_BLOCK, bytes: seal(key, CHECK_BLOCK, CHECK_VALUE) },
        ]);
      } else if (unseal(key, CHECK_BLOCK, (await blocks.get(CHECK_BLOCK)) ?? new Uint8Array()) === undefined) {
        throw new KeyringSecretError(`the keyring ${options.file} was sealed under another secret: put back the file or the secret that belongs to it`);
      }
      return new SqliteKeyring(blocks, key);
    } catch (error) {
      await blocks.close();
      throw error;
    }
  }

  async store(keys: readonly AccountKey[]): Promise<void> {
    for (const { keyId, key } of keys) this.#cached.set(keyId, key);
    const blocks: { name: string; bytes: Uint8Array }[] = [];
    for (const { keyId, key } of keys) {
      const name = blockName(keyId);
      blocks.push({ name, bytes: seal(this.#sealingKey, name, key) });
      if (blocks.length % SEALED_PER_ROUND === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    }
    await this.#blocks.put(blocks);
  }

  async load(keyId: string): Promise<Uint8Array | undefined> {
    const cached = this.#cached.get(keyId);
    if (cached !== undefined) return cached;
    const name = blockName(keyId);
    const box = await this.#blocks.get(name);
    if (box === undefined) return undefined;
    const key = unseal(this.#sealingKey, name, box);
    if (key === undefined) throw new Error(`the key ${keyId} in the keyring is damaged`);
    this.#cached.set(keyId, key);
    return key;
  }

  async missing(keyIds: readonly string[]): Promise<string[]> {
    return (await this.#blocks.absent(keyIds.map(blockName))).map((name) => name.slice(KEY_PREFIX.length));
  }

  cached(keyId: string): Uint8Array | undefined {
    return this.#cached.get(keyId);
  }

  derivedKey(purpose: string): Uint8Array {
    return derivedKeyOf(this.#sealingKey, purpose);
  }

  async close(): Promise<void> {
    this.#cached.clear();
    await this.#blocks.close();
  }
}

function blockName(keyId: string): string {
  return `${KEY_PREFIX}${keyId}`;
}
