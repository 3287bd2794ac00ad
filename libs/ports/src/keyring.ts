import { createHmac } from 'node:crypto';

/**
 * Signing keys of accounts, outside the log, sealed at rest (AES-256-GCM under the keyring's secret), named in events by
 * their id, never returned to callers.
 */
export interface Keyring {
  /** Stores a key durably and resolves with its id (derived from the account and the key, so a repeat gives the same id). */
  store(accountId: string, key: Uint8Array): Promise<string>;
  /** The key of the id; undefined: there is none. Cached in memory after the first time. */
  load(keyId: string): Promise<Uint8Array | undefined>;
  /** The key if it is in memory already. */
  cached(keyId: string): Uint8Array | undefined;
  close(): Promise<void>;
}

/** Id of an account's key, the same in every keyring: 32 hex digits of HMAC-SHA256 under the key, so that it says nothing about the key. */
export function deriveKeyId(accountId: string, key: Uint8Array): string {
  return createHmac('sha256', key).update('sluice key of account ').update(accountId).digest('hex').slice(0, 32);
}
