/**
 * Accounts and entries from and to the messages that travel. Apart from the types, so that the published types name
 * nothing of the protocol.
 */
import { randomUUID } from 'node:crypto';
import { type protobufpb, usFromTimestamp } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import type { Account, AccountChange, AccountLimits, AccountOpening, AccountStatus, BalanceAt, CommandResult, Entry, EntryOrigin } from './account';
import { rejectionFromWire } from './rejection';
import { postingTypeFromWire, postingTypeToWire } from './posting-wire';

/** Microseconds since the epoch; 0 where there is none. */
function microsecondsOf(timestamp: protobufpb.Timestamp | undefined): number {
  return timestamp === undefined ? 0 : Number(usFromTimestamp(timestamp));
}

export function limitsToWire(limits: AccountLimits | undefined): accountpb.AccountLimits | undefined {
  if (limits === undefined) return undefined;
  return {
    overdraftMinor: limits.overdraftMinor ?? 0n,
    maximumBalanceMinor: limits.maximumBalanceMinor,
    maximumPostingMinor: limits.maximumPostingMinor,
    allowedTypes: (limits.allowedTypes ?? []).map(postingTypeToWire),
  };
}

function limitsFromWire(limits: accountpb.AccountLimits | undefined): AccountLimits {
  if (limits === undefined) return { overdraftMinor: 0n };
  return {
    overdraftMinor: limits.overdraftMinor,
    maximumBalanceMinor: limits.maximumBalanceMinor,
    maximumPostingMinor: limits.maximumPostingMinor,
    allowedTypes: limits.allowedTypes.map(postingTypeFromWire).filter((type) => type !== undefined),
  };
}

export function statusFromWire(status: accountpb.AccountStatus): AccountStatus {
  switch (status) {
    case accountpb.AccountStatus.ACCOUNT_STATUS_FROZEN:
      return 'FROZEN';
    case accountpb.AccountStatus.ACCOUNT_STATUS_CLOSED:
      return 'CLOSED';
    default:
      return 'OPEN';
  }
}

export function statusToWire(status: AccountStatus | undefined): accountpb.AccountStatus {
  switch (status) {
    case 'OPEN':
      return accountpb.AccountStatus.ACCOUNT_STATUS_OPEN;
    case 'FROZEN':
      return accountpb.AccountStatus.ACCOUNT_STATUS_FROZEN;
    case 'CLOSED':
      return accountpb.AccountStatus.ACCOUNT_STATUS_CLOSED;
    default:
      return accountpb.AccountStatus.ACCOUNT_STATUS_UNSPECIFIED;
  }
}

export function commandResultFromWire(requestId: string, result: accountpb.CommandResult): CommandResult {
  return {
    requestId,
    accountId: result.accountId,
    balanceMinor: result.balanceMinor,
    heldMinor: result.heldMinor,
    status: statusFromWire(result.status),
    version: result.version,
    repeated: result.repeated,
    positionToken: result.positionToken,
    signingKeyId: result.signingKeyId,
  };
}

export function accountFromWire(account: accountpb.Account): Account {
  return {
    accountId: account.accountId,
    unit: account.unit,
    branchId: account.branchId,
    product: account.product,
    status: statusFromWire(account.status),
    balanceMinor: account.balanceMinor,
    heldMinor: account.heldMinor,
    availableMinor: account.availableMinor,
    limits: limitsFromWire(account.limits),
    signingKeyId: account.signingKeyId,
    version: account.version,
    entryCount: account.entryCount,
    rejectionCount: account.rejectionCount,
    openedAtUs: microsecondsOf(account.openedAt),
    balanceUpdatedAtUs: microsecondsOf(account.balanceUpdatedAt),
    lastDayBalanceMinor: account.lastDayBalanceMinor,
    lastDayDate: account.lastDayDate,
    lastDayUpdatedAtUs: microsecondsOf(account.lastDayUpdatedAt),
    balanceDate: account.balanceDate,
    linkedAccountId: account.linkedAccountId,
    partition: account.partition,
    holds: account.holds.map(({ holdId, remainingMinor, expiresAtUs }) => ({
      holdId,
      remainingMinor,
      expiresAtUs: expiresAtUs === 0n ? undefined : Number(expiresAtUs),
    })),
    sequence: account.sequence,
  };
}

const ORIGINS: Readonly<Record<accountpb.EntryOrigin, EntryOrigin>> = {
  [accountpb.EntryOrigin.ENTRY_ORIGIN_UNSPECIFIED]: 'POSTING',
  [accountpb.EntryOrigin.ENTRY_ORIGIN_INTEREST]: 'INTEREST',
  [accountpb.EntryOrigin.ENTRY_ORIGIN_TRANSFER_DEBIT]: 'TRANSFER_DEBIT',
  [accountpb.EntryOrigin.ENTRY_ORIGIN_TRANSFER_CREDIT]: 'TRANSFER_CREDIT',
  [accountpb.EntryOrigin.ENTRY_ORIGIN_TRANSFER_REFUND]: 'TRANSFER_REFUND',
  [accountpb.EntryOrigin.ENTRY_ORIGIN_HOLD_EXPIRY]: 'HOLD_EXPIRY',
  [accountpb.EntryOrigin.ENTRY_ORIGIN_FUNDS_TAKEN]: 'FUNDS_TAKEN',
  [accountpb.EntryOrigin.ENTRY_ORIGIN_FUNDS_RETURNED]: 'FUNDS_RETURNED',
  [accountpb.EntryOrigin.ENTRY_ORIGIN_FUNDS_HELD]: 'FUNDS_HELD',
  [accountpb.EntryOrigin.ENTRY_ORIGIN_FUNDS_RELEASED]: 'FUNDS_RELEASED',
  [accountpb.EntryOrigin.UNRECOGNIZED]: 'POSTING',
};

export function entryFromWire(entry: accountpb.Entry): Entry {
  return {
    entryNumber: entry.entryNumber,
    requestId: entry.requestId,
    accountId: entry.accountId,
    type: postingTypeFromWire(entry.type) ?? 'CREDIT',
    amountMinor: entry.amountMinor,
    unit: entry.unit,
    balanceAfterMinor: entry.balanceAfterMinor,
    heldAfterMinor: entry.heldAfterMinor,
    holdId: entry.holdId,
    counterparty: entry.counterparty,
    channel: entry.channel,
    initiatedDate: entry.initiatedDate,
    businessDate: entry.businessDate,
    metadata: entry.metadata,
    committedAtUs: microsecondsOf(entry.committedAt),
    partition: entry.partition,
    sequence: entry.sequence,
    rejection: rejectionFromWire(entry.rejection),
    origin: ORIGINS[entry.origin],
    fromAccountId: entry.fromAccountId,
    toAccountId: entry.toAccountId,
  };
}

export function openingToWire(opening: AccountOpening): accountpb.AccountOpening {
  return {
    requestId: opening.requestId ?? randomUUID(),
    accountId: opening.accountId,
    unit: opening.unit,
    branchId: opening.branchId ?? '',
    product: opening.product ?? '',
    linkedAccountId: opening.linkedAccountId ?? '',
    limits: limitsToWire(opening.limits),
    signingKey: Buffer.from(opening.signingKey ?? []),
  };
}

export function changeToWire(change: AccountChange): accountpb.UpdateAccountRequest {
  return {
    requestId: change.requestId ?? randomUUID(),
    accountId: change.accountId,
    limits: limitsToWire(change.limits),
    product: change.product,
    linkedAccountId: change.linkedAccountId,
    signingKey: change.signingKey === undefined ? undefined : Buffer.from(change.signingKey),
  };
}

export function balanceAtFromWire(response: accountpb.GetBalanceAtResponse): BalanceAt {
  return {
    accountId: response.accountId,
    balanceMinor: response.balanceMinor,
    heldMinor: response.heldMinor,
    unit: response.unit,
    entryNumber: response.entryNumber,
    committedAtUs: microsecondsOf(response.committedAt),
    sequence: response.sequence,
  };
}
