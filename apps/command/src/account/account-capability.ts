/** Accounts, as the engine plugs them in. */
import type { Capability } from '@sluice/engine';
import { ACCOUNT_RECORD_VERSION } from './account-record';
import { AccountState } from './account-state';
import type { Signatures } from './signatures';

export function accountCapability(signatures: Signatures, trouble: (partition: number, what: string, error: unknown) => void): Capability {
  return {
    name: 'account',
    snapshotVersion: ACCOUNT_RECORD_VERSION,
    createState: (services) => new AccountState(services, signatures, (what, error) => trouble(services.partition, what, error)),
  };
}
