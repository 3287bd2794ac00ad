/** A keyring in memory that tells what it was asked to store, and that can be slow or fail. */
import { derivedKeyOf, type AccountKey, type Keyring } from '@sluice/ports';
import type { MemoryKeys } from '@sluice/memory';

export class RecordedKeyring implements Keyring {
  /** Number of keys of each call of `store`. */
  readonly stores: number[] = [];
  /** Runs before each store: waits, or throws. */
  beforeStore: () => Promise<void> = async () => undefined;
  private readonly inMemory = new Map<string, Uint8Array>();

  /** @param stored what is durable, also for others. */
  constructor(private readonly stored: MemoryKeys) {}

  async store(keys: readonly AccountKey[]): Promise<void> {
    this.stores.push(keys.length);
    for (const { keyId, key } of keys) this.inMemory.set(keyId, key);
    await this.beforeStore();
    for (const { keyId, key } of keys) this.stored.set(keyId, key);
  }

  async load(keyId: string): Promise<Uint8Array | undefined> {
    const key = this.inMemory.get(keyId) ?? this.stored.get(keyId);
    if (key !== undefined) this.inMemory.set(keyId, key);
    return key;
  }

  async missing(keyIds: readonly string[]): Promise<string[]> {
    return keyIds.filter((keyId) => !this.stored.has(keyId));
  }

  cached(keyId: string): Uint8Array | undefined {
    return this.inMemory.get(keyId);
  }

  derivedKey(purpose: string): Uint8Array {
    return derivedKeyOf(Buffer.from('the secret of a recorded keyring'), purpose);
  }

  async close(): Promise<void> {
    this.inMemory.clear();
  }
}
