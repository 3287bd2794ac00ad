/** How capabilities ask accounts for funds (protos/sluice/log/v1/funds.proto). */
import { createHash } from 'node:crypto';
import type { Owed } from '@sluice/engine';

/** Beyond it the aggregate goes into the names of its funds as a digest: names have at most 128 bytes. */
const MAXIMUM_KEY_BYTES = 96;

export function owedToAccount(method: string, accountId: string, payload: Uint8Array): Owed {
  return { capability: 'account', method, key: accountId, payload };
}

/**
 * Names funds and their entries in an account: made of the aggregate and of what they are for, so that it is the same whenever it is made. Two aggregates
 * of a capability never have the same name: a digest stands behind a slash, a key behind a space.
 */
export function nameOfFunds(capability: string, key: string, purpose = ''): string {
  const isLong = Buffer.byteLength(key) > MAXIMUM_KEY_BYTES;
  const name = isLong ? `${capability}/${createHash('sha256').update(key).digest('hex')}` : `${capability} ${key}`;
  return purpose === '' ? name : `${name} ${purpose}`;
}
