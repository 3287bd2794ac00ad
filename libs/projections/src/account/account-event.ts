/** The events of accounts as the projection and the verification fold them: decoded, one per account. */
import type { AccountLimits, AccountStatus, PostingType } from '@sluice/domain';
import { accountpb, type DecodedCommit, type EventRecord } from '@sluice/protocol';
import { UnknownEventError } from '../projection';
import { type PostingsPart, readPostings } from './postings-reader';

interface Moment {
  readonly sequence: number;
  readonly committedAtUs: number;
}

export type AccountPart = Moment &
  (
    | PostingsPart
    | {
        readonly kind: 'opened';
        readonly unit: string;
        readonly branchId: string;
        readonly product: string;
        readonly limits: AccountLimits;
        readonly signingKeyId: string;
      }
    | {
        readonly kind: 'updated';
        readonly version: number;
        readonly limits: AccountLimits | undefined;
        readonly product: string | undefined;
        readonly signingKeyId: string | undefined;
      }
    | { readonly kind: 'statusChanged'; readonly version: number; readonly status: AccountStatus }
  );

const VERSION = 1;

/**
 * Calls back with what the event says about each account, in its order.
 *
 * @returns false: it is not an event of accounts.
 */
export function readAccountEvent(commit: DecodedCommit, event: EventRecord, visit: (accountId: string, part: AccountPart) => void): boolean {
  if (!event.type.startsWith('account.')) return false;
  if (event.version !== VERSION) throw new UnknownEventError(commit.partition, commit.sequence, event.type, event.version);
  const { sequence, committedAtUs } = commit;
  switch (event.type) {
    case 'account.PostingsRecorded':
      readPostings(event.payload, sequence, committedAtUs, (part) => visit(part.accountId, part));
      return true;
    case 'account.AccountOpened': {
      const { accountId, unit, branchId, product, limits, signingKeyId } = accountpb.AccountOpened.decode(event.payload);
      visit(accountId, { kind: 'opened', sequence, committedAtUs, unit, branchId, product, limits: limitsOf(limits), signingKeyId });
      return true;
    }
    case 'account.AccountUpdated': {
      const { accountId, limits, product, signingKeyId, version } = accountpb.AccountUpdated.decode(event.payload);
      visit(accountId, {
        kind: 'updated',
        sequence,
        committedAtUs,
        version: Number(version),
        limits: limits && limitsOf(limits),
        product,
        signingKeyId,
      });
      return true;
    }
    case 'account.AccountStatusChanged': {
      const { accountId, status, version } = accountpb.AccountStatusChanged.decode(event.payload);
      visit(accountId, { kind: 'statusChanged', sequence, committedAtUs, version: Number(version), status: statusOf(status) });
      return true;
    }
    case 'account.AccountCommandRejected':
      // Only postings are listed and counted; a refused change of the account changes none of its rows.
      return true;
    default:
      throw new UnknownEventError(commit.partition, commit.sequence, event.type, event.version);
  }
}

function limitsOf(limits: accountpb.AccountLimits | undefined): AccountLimits {
  return {
    overdraftMinor: limits?.overdraftMinor ?? 0n,
    maximumBalanceMinor: limits?.maximumBalanceMinor,
    maximumPostingMinor: limits?.maximumPostingMinor,
    allowedTypes: (limits?.allowedTypes ?? []).map(postingTypeOf),
  };
}

export function postingTypeOf(type: accountpb.PostingType): PostingType {
  switch (type) {
    case accountpb.PostingType.POSTING_TYPE_CREDIT:
      return 'CREDIT';
    case accountpb.PostingType.POSTING_TYPE_DEBIT:
      return 'DEBIT';
    case accountpb.PostingType.POSTING_TYPE_HOLD:
      return 'HOLD';
    case accountpb.PostingType.POSTING_TYPE_CAPTURE:
      return 'CAPTURE';
    case accountpb.PostingType.POSTING_TYPE_RELEASE:
      return 'RELEASE';
    default:
      throw new Error(`posting type ${type} is not known`);
  }
}

function statusOf(status: accountpb.AccountStatus): AccountStatus {
  switch (status) {
    case accountpb.AccountStatus.ACCOUNT_STATUS_OPEN:
      return 'OPEN';
    case accountpb.AccountStatus.ACCOUNT_STATUS_FROZEN:
      return 'FROZEN';
    case accountpb.AccountStatus.ACCOUNT_STATUS_CLOSED:
      return 'CLOSED';
    default:
      throw new Error(`account status ${status} is not known`);
  }
}
