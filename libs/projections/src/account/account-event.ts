/** The events of accounts as the projection and the verification fold them: decoded, one per account. */
import type { AccountLimits, AccountStatus, PostingType } from '@sluice/domain/account';
import { type DecodedCommit, type EventHandlersOf, type EventRecord } from '@sluice/protocol';
import { accountEvents, accountpb } from '@sluice/protocol/account';
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
        readonly linkedAccountId: string;
        readonly businessDate: number | undefined;
      }
    | {
        readonly kind: 'updated';
        readonly version: number;
        readonly limits: AccountLimits | undefined;
        readonly product: string | undefined;
        readonly signingKeyId: string | undefined;
        readonly linkedAccountId: string | undefined;
      }
    | { readonly kind: 'statusChanged'; readonly version: number; readonly status: AccountStatus }
    /** A sweep behind a day cut: the date has ended for the account. */
    | { readonly kind: 'rolled'; readonly date: number; readonly balanceMinor: bigint }
  );

type PartVisitor = (accountId: string, part: AccountPart) => void;

interface Reading {
  readonly moment: Moment;
  readonly visit: PartVisitor;
}

const PARTS: EventHandlersOf<typeof accountEvents, Reading, void> = {
  PostingsRecorded: (payload, { moment, visit }) => readPostings(payload, moment.sequence, moment.committedAtUs, (part) => visit(part.accountId, part)),
  AccountOpened: ({ accountId, unit, branchId, product, limits, signingKeyId, linkedAccountId, businessDate }, { moment, visit }) =>
    visit(accountId, { kind: 'opened', ...moment, unit, branchId, product, limits: limitsOf(limits), signingKeyId, linkedAccountId, businessDate }),
  AccountUpdated: ({ accountId, limits, product, signingKeyId, linkedAccountId, version }, { moment, visit }) =>
    visit(accountId, { kind: 'updated', ...moment, version: Number(version), limits: limits && limitsOf(limits), product, signingKeyId, linkedAccountId }),
  AccountStatusChanged: ({ accountId, status, version }, { moment, visit }) =>
    visit(accountId, { kind: 'statusChanged', ...moment, version: Number(version), status: statusOf(status) }),
  // Only postings are listed and counted; a refused change of the account changes none of its rows.
  AccountCommandRejected: () => undefined,
  AccountsRolled: ({ date, accounts }, { moment, visit }) => {
    for (const { accountId, balanceMinor } of accounts) visit(accountId, { kind: 'rolled', ...moment, date, balanceMinor });
  },
  // A row of its own (account-branch-days.ts).
  BranchDaySet: () => undefined,
  BranchDaySealed: () => undefined,
  InterestAccrued: () => undefined,
  TermBegun: () => undefined,
  TermEnded: () => undefined,
  BranchDayTotalled: () => undefined,
  // Rows of their own (transfer-event.ts); what they do to accounts are postings.
  TransfersRecorded: () => undefined,
  TransfersSettled: () => undefined,
};

/**
 * Calls back with what the event says about each account, in its order. Throws UnknownEventError.
 *
 * @returns false: it is not an event of accounts.
 */
export function readAccountEvent(commit: DecodedCommit, event: EventRecord, visit: PartVisitor): boolean {
  if (!accountEvents.owns(event.type)) return false;
  const { sequence, committedAtUs } = commit;
  accountEvents.read(event, commit, PARTS, { moment: { sequence, committedAtUs }, visit });
  return true;
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
