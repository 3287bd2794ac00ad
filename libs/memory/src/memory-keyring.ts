/** The keyring in memory, for tests and the simulation: nothing is written anywhere, so nothing is sealed. */
import { derivedKeyOf, type AccountKey, type Keyring } from '@sluice/ports';

const SECRET = Buffer.from('the secret of every keyring in memory');

export type MemoryKeys = Map<string, Uint8Array>;

export class MemoryKeyring implements Keyring {
  readonly #stored: MemoryKeys;
  readonly #cached: MemoryKeys = new Map();

  constructor(stored: MemoryKeys = new Map()) {
    this.#stored = stored;
  }

  async store(keys: readonly AccountKey[]): Promise<void> {
    for (const { keyId, key } of keys) {
      this.#cached.set(keyId, key);
      this.#stored.set(keyId, key);
    }
  }

  async load(keyId: string): Promise<Uint8Array | undefined> {
    const key = this.#stored.get(keyId);
    if (key !== undefined) this.#cached.set(keyId, key);
    return key;
  }

  async missing(keyIds: readonly string[]): Promise<string[]> {
    return keyIds.filter((keyId) => !this.#stored.has(keyId));
  }

  cached(keyId: string): Uint8Array | undefined {
    return this.#cached.get(keyId);
  }

  derivedKey(purpose: string): Uint8Array {
    return derivedKeyOf(SECRET, purpose);
  }

  async close(): Promise<void> {
    this.#cached.clear();
  }
}
