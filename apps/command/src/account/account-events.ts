/**
 * Account events between the domain and the protos.
 */
import { NO_LIMITS, POSTING_TYPES, type Account, type AccountEvent, type AccountLimits, type AccountStatus } from '@sluice/domain/account';
import { type EventRecord } from '@sluice/protocol';
import { accountEvents, accountpb } from '@sluice/protocol/account';
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

/** An event from the log as the domain sees it. */
export function openedEvent({ accountId, unit, branchId, product, limits, signingKeyId, linkedAccountId }: accountpb.AccountOpened): AccountEvent {
  return {
    kind: 'opened',
    accountId,
    unit: shared(unit),
    branchId: shared(branchId),
    product: shared(product),
    limits: limits === undefined ? NO_LIMITS : limitsFromProto(limits),
    signingKeyId,
    linkedAccountId,
  };
}

export function updatedEvent({ limits, product, signingKeyId, linkedAccountId }: accountpb.AccountUpdated): AccountEvent {
  return {
    kind: 'updated',
    ...(limits === undefined ? undefined : { limits: limitsFromProto(limits) }),
    ...(product === undefined ? undefined : { product }),
    ...(signingKeyId === undefined ? undefined : { signingKeyId }),
    ...(linkedAccountId === undefined ? undefined : { linkedAccountId }),
  };
}

export function statusChangedEvent({ status, note }: accountpb.AccountStatusChanged): AccountEvent {
  return { kind: 'statusChanged', status: statusFromProto(status), note };
}

/**
 * The event as it is written.
 *
 * @param account the account after it.
 * @param businessDate online date of its branch; undefined: the branch has no business dates.
 */
export function changeRecord(event: AccountEvent, item: AccountCommandItem, account: Account, businessDate: number | undefined): EventRecord {
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
      const { unit, branchId, product, limits, signingKeyId, linkedAccountId = '' } = event;
      return accountEvents.record('AccountOpened', {
        requestId,
        accountId,
        unit,
        branchId,
        product,
        limits: limitsToProto(limits),
        signingKeyId,
        bodyDigest,
        linkedAccountId,
        businessDate,
      });
    }
    case 'updated': {
      const { limits, product, signingKeyId, linkedAccountId } = event;
      return accountEvents.record('AccountUpdated', {
        requestId,
        accountId,
        limits: limits === undefined ? undefined : limitsToProto(limits),
        product,
        signingKeyId,
        linkedAccountId,
        bodyDigest,
        ...answer,
        status: statusToProto(account.status),
      });
    }
    case 'statusChanged':
      return accountEvents.record('AccountStatusChanged', {
        requestId,
        accountId,
        status: statusToProto(event.status),
        note: event.note,
        bodyDigest,
        ...answer,
      });
    default:
      throw new Error(`no such event: ${String(event satisfies never)}`);
  }
}

export function rejectionRecord(item: AccountCommandItem, outcome: number): EventRecord {
  const { requestId, accountId } = item;
  return accountEvents.record('AccountCommandRejected', { requestId, accountId, rejection: outcome, bodyDigest: Buffer.from(item.bodyDigest) });
}
