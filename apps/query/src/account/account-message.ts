/** Accounts and entries as callers see them. */
import { INT64_MAX, type PostingType } from '@sluice/domain/account';
import { textOfDate } from '@sluice/domain/day';
import { type AccountSnapshot, lastDayOf, type StoredRecord } from '@sluice/projections/account';
import { timestampFromUs } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';

/** Open holds in an answer, at most; the oldest ones. */
export const MAXIMUM_SHOWN_HOLDS = 100;

export function accountMessage(snapshot: AccountSnapshot): accountpb.Account {
  const { account, profile, holds } = snapshot;
  const { limits } = profile;
  const lastDay = lastDayOf(snapshot);
  const availableMinor = account.balanceMinor - account.heldMinor + limits.overdraftMinor;
  return {
    accountId: account.accountId,
    unit: profile.unit,
    branchId: profile.branchId,
    product: profile.product,
    status: accountpb.AccountStatus[`ACCOUNT_STATUS_${profile.status}`],
    balanceMinor: account.balanceMinor,
    heldMinor: account.heldMinor,
    availableMinor: availableMinor > INT64_MAX ? INT64_MAX : availableMinor,
    limits: {
      overdraftMinor: limits.overdraftMinor,
      maximumBalanceMinor: limits.maximumBalanceMinor,
      maximumPostingMinor: limits.maximumPostingMinor,
      allowedTypes: limits.allowedTypes.map((type: PostingType) => accountpb.PostingType[`POSTING_TYPE_${type}`]),
    },
    signingKeyId: profile.signingKeyId,
    version: BigInt(account.version),
    entryCount: BigInt(account.entryCount),
    rejectionCount: BigInt(account.rejectionCount),
    openedAt: timestampFromUs(profile.openedAtUs),
    balanceUpdatedAt: timestampFromUs(account.balanceUpdatedAtUs),
    lastDayBalanceMinor: lastDay?.balanceMinor ?? 0n,
    lastDayDate: dateText(lastDay?.date),
    lastDayUpdatedAt: lastDay && timestampFromUs(lastDay.updatedAtUs),
    partition: profile.partition,
    holds: shownHolds(holds),
    sequence: BigInt(account.sequence),
    balanceDate: dateText(account.day?.balanceDate),
    linkedAccountId: profile.linkedAccountId,
  };
}

function shownHolds(state: AccountSnapshot['holds']): accountpb.Hold[] {
  const shown: accountpb.Hold[] = [];
  for (const [holdId, remainingMinor] of state?.holds ?? []) {
    if (shown.length === MAXIMUM_SHOWN_HOLDS) break;
    shown.push({ holdId, remainingMinor, expiresAtUs: BigInt(state?.expiries.get(holdId) ?? 0) });
  }
  return shown;
}

export function entryMessage(partition: number, record: StoredRecord): accountpb.Entry {
  const { posting } = record;
  const isHold = posting.type === accountpb.PostingType.POSTING_TYPE_HOLD;
  return {
    entryNumber: BigInt(record.entryNumber),
    requestId: posting.requestId,
    accountId: posting.accountId,
    type: posting.type,
    amountMinor: posting.amountMinor,
    unit: posting.unit,
    balanceAfterMinor: record.balanceAfterMinor,
    heldAfterMinor: record.heldAfterMinor,
    holdId: isHold ? posting.requestId : posting.holdId,
    counterparty: posting.counterparty,
    channel: posting.channel,
    // Without dates of the branch it is what the caller wrote.
    initiatedDate: record.initiatedDate === undefined ? posting.initiatedDate : dateText(record.initiatedDate),
    metadata: posting.metadata,
    committedAt: timestampFromUs(record.committedAtUs),
    partition,
    sequence: BigInt(record.sequence),
    rejection: record.rejection,
    ...transferSides(posting),
    origin: originOf(posting),
    expiresAtUs: posting.expiresAtUs,
    expiresAfterMs: posting.expiresAfterMs,
    businessDate: dateText(record.businessDate),
  };
}

/** YYYY-MM-DD; empty: there is no date. */
function dateText(date: number | undefined): string {
  return date === undefined ? '' : textOfDate(date);
}

/** Both accounts of a leg of a transfer. */
function transferSides({ accountId, fromAccountId, toAccountId }: accountpb.Posting): Pick<accountpb.Entry, 'fromAccountId' | 'toAccountId'> {
  if (toAccountId !== '') return { fromAccountId: accountId, toAccountId };
  if (fromAccountId !== '') return { fromAccountId, toAccountId: accountId };
  return { fromAccountId: '', toAccountId: '' };
}

function originOf({ type, fromAccountId, toAccountId, holdExpired, funds, interest }: accountpb.Posting): accountpb.EntryOrigin {
  if (holdExpired) return accountpb.EntryOrigin.ENTRY_ORIGIN_HOLD_EXPIRY;
  if (interest) return accountpb.EntryOrigin.ENTRY_ORIGIN_INTEREST;
  if (funds) return originOfFunds(type);
  if (fromAccountId !== '') return accountpb.EntryOrigin.ENTRY_ORIGIN_TRANSFER_CREDIT;
  if (toAccountId === '') return accountpb.EntryOrigin.ENTRY_ORIGIN_UNSPECIFIED;
  return type === accountpb.PostingType.POSTING_TYPE_DEBIT
    ? accountpb.EntryOrigin.ENTRY_ORIGIN_TRANSFER_DEBIT
    : accountpb.EntryOrigin.ENTRY_ORIGIN_TRANSFER_REFUND;
}

function originOfFunds(type: accountpb.PostingType): accountpb.EntryOrigin {
  switch (type) {
    case accountpb.PostingType.POSTING_TYPE_HOLD:
      return accountpb.EntryOrigin.ENTRY_ORIGIN_FUNDS_HELD;
    case accountpb.PostingType.POSTING_TYPE_RELEASE:
      return accountpb.EntryOrigin.ENTRY_ORIGIN_FUNDS_RELEASED;
    case accountpb.PostingType.POSTING_TYPE_CREDIT:
      return accountpb.EntryOrigin.ENTRY_ORIGIN_FUNDS_RETURNED;
    default:
      return accountpb.EntryOrigin.ENTRY_ORIGIN_FUNDS_TAKEN;
  }
}
