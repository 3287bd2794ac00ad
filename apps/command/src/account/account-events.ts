/**
 * Account events between the domain and the protos.
 */
import { NO_LIMITS, POSTING_TYPES, type Account, type AccountEvent, type AccountLimits, type AccountStatus } from '@sluice/domain';
import { accountpb } from '@sluice/protocol';
import { shared, sharedLimits } from './account-record';
import type { AccountCommandItem } from './command-submission';

export function statusToProto(status: AccountStatus): accountpb.AccountStatus {
  switch (status) {
    case 'OPEN':
      return accountpb.AccountStatus.ACCOUNT_STATUS_OPEN;
    case 'FROZEN':
      return accountpb.AccountStatus.ACCOUNT_STATUS_FROZEN;
    case 'CLOSED':
      return accountpb.AccountStatus.ACCOUNT_STATUS_CLOSED;
    default:
      throw new Error(`no such status: ${String(status satisfies never)}`);
  }
}

export function statusFromProto(status: accountpb.AccountStatus): AccountStatus {
  switch (status) {
    case accountpb.AccountStatus.ACCOUNT_STATUS_OPEN:
      return 'OPEN';
    case accountpb.AccountStatus.ACCOUNT_STATUS_FROZEN:
      return 'FROZEN';
    case accountpb.AccountStatus.ACCOUNT_STATUS_CLOSED:
      return 'CLOSED';
    default:
      throw new Error(`no such status: ${status}`);
  }
}

/** The limits of a proto that was checked. */
export function limitsFromProto(limits: accountpb.AccountLimits): AccountLimits {
  return sharedLimits({
    overdraftMinor: limits.overdraftMinor,
    ...(limits.maximumBalanceMinor === undefined ? undefined : { maximumBalanceMinor: limits.maximumBalanceMinor }),
    ...(limits.maximumPostingMinor === undefined ? undefined : { maximumPostingMinor: limits.maximumPostingMinor }),
    allowedTypes: POSTING_TYPES.filter((_, index) => limits.allowedTypes.includes(index + 1)),
  });
}

export function limitsToProto(limits: AccountLimits): accountpb.AccountLimits {
  return {
    overdraftMinor: limits.overdraftMinor,
    maximumBalanceMinor: limits.maximumBalanceMinor,
    maximumPostingMinor: limits.maximumPostingMinor,
    allowedTypes: limits.allowedTypes.map((type) => POSTING_TYPES.indexOf(type) + 1),
  };
}

export function openedFromProto(opened: accountpb.AccountOpened): AccountEvent {
  return {
    kind: 'opened',
    accountId: opened.accountId,
    unit: shared(opened.unit),
    branchId: shared(opened.branchId),
    product: shared(opened.product),
    limits: opened.limits === undefined ? NO_LIMITS : limitsFromProto(opened.limits),
    signingKeyId: opened.signingKeyId,
  };
}

export function eventTypeOf(event: AccountEvent): string {
  switch (event.kind) {
    case 'opened':
      return 'account.AccountOpened';
    case 'updated':
      return 'account.AccountUpdated';
    case 'statusChanged':
      return 'account.AccountStatusChanged';
    default:
      throw new Error(`no such event: ${String(event satisfies never)}`);
  }
}

/** The encoded event; `account` is the account after it. */
export function encodeChange(event: AccountEvent, item: AccountCommandItem, account: Account): Uint8Array {
  const { requestId, accountId } = item;
  const bodyDigest = Buffer.from(item.bodyDigest);
  const answer = {
    version: BigInt(account.version),
    balanceMinor: account.balanceMinor,
    heldMinor: account.heldMinor,
    answeredSigningKeyId: account.signingKeyId,
  };
  switch (event.kind) {
    case 'opened': {
      const { unit, branchId, product, limits, signingKeyId } = event;
      return accountpb.AccountOpened.encode({
        requestId,
        accountId,
        unit,
        branchId,
        product,
        limits: limitsToProto(limits),
        signingKeyId,
        bodyDigest,
      }).finish();
    }
    case 'updated': {
      const { limits, product, signingKeyId } = event;
      return accountpb.AccountUpdated.encode({
        requestId,
        accountId,
        limits: limits === undefined ? undefined : limitsToProto(limits),
        product,
        signingKeyId,
        bodyDigest,
        ...answer,
        status: statusToProto(account.status),
      }).finish();
    }
    case 'statusChanged':
      return accountpb.AccountStatusChanged.encode({
        requestId,
        accountId,
        status: statusToProto(event.status),
        note: event.note,
        bodyDigest,
        ...answer,
      }).finish();
    default:
      throw new Error(`no such event: ${String(event satisfies never)}`);
  }
}

export function encodeRejection(item: AccountCommandItem, outcome: number): Uint8Array {
  return accountpb.AccountCommandRejected.encode({
    requestId: item.requestId,
    accountId: item.accountId,
    rejection: outcome,
    bodyDigest: Buffer.from(item.bodyDigest),
  }).finish();
}
