/** Accounts and entries as callers see them. */
import { INT64_MAX, type PostingType } from '@sluice/domain';
import type { AccountSnapshot, StoredRecord } from '@sluice/projections';
import { accountpb, timestampFromUs } from '@sluice/protocol';

/** Open holds in an answer, at most; the oldest ones. */
export const MAXIMUM_SHOWN_HOLDS = 100;

export function accountMessage({ account, profile, holds }: AccountSnapshot): accountpb.Account {
  const { limits } = profile;
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
    lastDayBalanceMinor: 0n,
    lastDayDate: '',
    lastDayUpdatedAt: undefined,
    partition: profile.partition,
    holds: shownHolds(holds?.holds),
    sequence: BigInt(account.sequence),
  };
}

function shownHolds(holds: ReadonlyMap<string, bigint> | undefined): accountpb.Hold[] {
  const shown: accountpb.Hold[] = [];
  for (const [holdId, remainingMinor] of holds ?? []) {
    if (shown.length === MAXIMUM_SHOWN_HOLDS) break;
    shown.push({ holdId, remainingMinor });
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
    initiatedDate: posting.initiatedDate,
    metadata: posting.metadata,
    committedAt: timestampFromUs(record.committedAtUs),
    partition,
    sequence: BigInt(record.sequence),
    rejection: record.rejection,
  };
}
