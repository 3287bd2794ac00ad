/**
 * Everything on an account that is not a posting: open, update, freeze, unfreeze, close.
 */
import type { Account, AccountLimits, AccountStatus, Rejection } from './account';

/** What is absent stays. */
interface AccountChanges {
  readonly limits?: AccountLimits;
  readonly product?: string;
  readonly signingKeyId?: string;
  /** Empty: none. */
  readonly linkedAccountId?: string;
}

export type AccountCommand =
  | {
      readonly kind: 'open';
      readonly accountId: string;
      readonly unit: string;
      readonly branchId: string;
      readonly product: string;
      readonly limits: AccountLimits;
      readonly signingKeyId: string;
      readonly linkedAccountId?: string;
    }
  | ({ readonly kind: 'update' } & AccountChanges)
  | { readonly kind: 'freeze'; readonly note: string }
  | { readonly kind: 'unfreeze'; readonly note: string }
  | { readonly kind: 'close'; readonly note: string };

export type AccountEvent =
  | {
      readonly kind: 'opened';
      readonly accountId: string;
      readonly unit: string;
      readonly branchId: string;
      readonly product: string;
      readonly limits: AccountLimits;
      readonly signingKeyId: string;
      readonly linkedAccountId?: string;
    }
  | ({ readonly kind: 'updated' } & AccountChanges)
  | { readonly kind: 'statusChanged'; readonly status: AccountStatus; readonly note: string };

export type AccountDecision = { readonly accepted: true; readonly event: AccountEvent } | { readonly accepted: false; readonly rejection: Rejection };

const reject = (rejection: Rejection): AccountDecision => ({ accepted: false, rejection });
const accept = (event: AccountEvent): AccountDecision => ({ accepted: true, event });

export function decideAccount(account: Account | undefined, command: AccountCommand): AccountDecision {
  if (command.kind === 'open') {
    if (account !== undefined) return reject('ACCOUNT_EXISTS');
    const { kind: _kind, ...opening } = command;
    return accept({ kind: 'opened', ...opening });
  }
  if (account === undefined) return reject('ACCOUNT_NOT_FOUND');
  if (account.status === 'CLOSED') return reject('ACCOUNT_CLOSED');
  switch (command.kind) {
    case 'update': {
      const { kind: _kind, ...changes } = command;
      return accept({ kind: 'updated', ...changes });
    }
    case 'freeze':
      return account.status === 'FROZEN' ? reject('ALREADY_FROZEN') : accept({ kind: 'statusChanged', status: 'FROZEN', note: command.note });
    case 'unfreeze':
      return account.status === 'OPEN' ? reject('NOT_FROZEN') : accept({ kind: 'statusChanged', status: 'OPEN', note: command.note });
    case 'close':
      if (account.holds.size > 0) return reject('HOLDS_OPEN');
      if (account.balanceMinor !== 0n) return reject('BALANCE_NOT_ZERO');
      // A refund must find its account open.
      if (account.inTransitMinor !== 0n) return reject('TRANSFERS_PENDING');
      return accept({ kind: 'statusChanged', status: 'CLOSED', note: command.note });
    default:
      return unreachable(command);
  }
}

/** The account after the event; of an opening: the new account. Changes the account in place. */
export function evolveAccount(account: Account | undefined, event: AccountEvent, committedAtUs: number): Account {
  if (event.kind === 'opened') {
    if (account !== undefined) throw new Error(`account ${event.accountId} is opened twice`);
    return {
      accountId: event.accountId,
      unit: event.unit,
      branchId: event.branchId,
      product: event.product,
      status: 'OPEN',
      limits: event.limits,
      signingKeyId: event.signingKeyId,
      linkedAccountId: event.linkedAccountId ?? '',
      balanceMinor: 0n,
      heldMinor: 0n,
      holds: new Map(),
      holdExpiries: new Map(),
      inTransitMinor: 0n,
      entryCount: 0,
      rejectionCount: 0,
      version: 1,
      openedAtUs: committedAtUs,
      balanceUpdatedAtUs: committedAtUs,
    };
  }
  if (account === undefined) throw new Error(`event ${event.kind} on an account that does not exist`);
  switch (event.kind) {
    case 'updated':
      if (event.limits !== undefined) account.limits = event.limits;
      if (event.product !== undefined) account.product = event.product;
      if (event.signingKeyId !== undefined) account.signingKeyId = event.signingKeyId;
      if (event.linkedAccountId !== undefined) account.linkedAccountId = event.linkedAccountId;
      break;
    case 'statusChanged':
      account.status = event.status;
      break;
    default:
      return unreachable(event);
  }
  account.version += 1;
  return account;
}

function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
