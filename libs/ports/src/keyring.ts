import { createHmac } from 'node:crypto';

/** A signing key of an account, and the id by which events name it. Made by `accountKey`. */
export interface AccountKey {
  readonly keyId: string;
  readonly accountId: string;
  /** Not changed by anyone any more. */
  readonly key: Uint8Array;
}

/**
 * Signing keys of accounts, outside the log, sealed at rest (AES-256-GCM under the keyring's secret), named in events by
 * their id, never returned to callers.
 */
export interface Keyring {
  /**
   * Stores keys in one round trip; resolves when all are durable. A key that is there already is the same key. When it rejects, any of the keys may be
   * stored; storing them again is harmless. The keys are in memory from the call on, whatever becomes of it.
   */
  store(keys: readonly AccountKey[]): Promise<void>;
  /** The key of the id; undefined: there is none. Cached in memory after the first time. */
  load(keyId: string): Promise<Uint8Array | undefined>;
  /** Those of the ids that no key is stored under; asks for all of them in one round trip. What is in memory alone does not count. */
  missing(keyIds: readonly string[]): Promise<string[]>;
  /** The key if it is in memory already. */
  cached(keyId: string): Uint8Array | undefined;
  /** A key of 32 bytes for another purpose than signatures, derived from the keyring's secret: the same whenever the keyring is opened, another one for each purpose. */
  derivedKey(purpose: string): Uint8Array;
  close(): Promise<void>;
}

/** Accounts sign with keys that the keyring does not have. */
export class MissingKeysError extends Error {
  constructor(
    readonly accounts: number,
    readonly partitions: readonly number[],
  ) {
    const whose = accounts === 1 ? 'signing key of 1 account' : `signing keys of ${accounts} accounts`;
    super(
      `the keyring lacks the ${whose} (${partitions.length === 1 ? 'partition' : 'partitions'} ${partitions.join(', ')}). Restore the keyring from a backup that is as new as the log; ` +
        'only if the keys are lost for good start with SLUICE_MISSING_KEYS=accept, and give these accounts new keys (UpdateAccount)',
    );
    this.name = 'MissingKeysError';
  }

  /** What is missing in several partitions, as one error. */
  static sum(errors: readonly MissingKeysError[]): MissingKeysError {
    return new MissingKeysError(
      errors.reduce((sum, { accounts }) => sum + accounts, 0),
      errors.flatMap(({ partitions }) => partitions).sort((left, right) => left - right),
    );
  }
}

/** What `derivedKey` of a keyring returns. @param secret by which the keyring seals. */
export function derivedKeyOf(secret: Uint8Array, purpose: string): Uint8Array {
  return createHmac('sha256', secret).update('sluice key for ').update(purpose).digest();
}

/** Copies the key and derives its id: the same account and key have the same id, so a repeat finds the key that is there. */
export function accountKey(accountId: string, key: Uint8Array): AccountKey {
  const copy = new Uint8Array(key);
  return { keyId: deriveKeyId(accountId, copy), accountId, key: copy };
}

/** Id of an account's key, the same in every keyring: 32 hex digits of HMAC-SHA256 under the key, so that it says nothing about the key. */
function deriveKeyId(accountId: string, key: Uint8Array): string {
  return createHmac('sha256', key).update('sluice key of account ').update(accountId).digest('hex').slice(0, 32);
}
