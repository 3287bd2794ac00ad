/**
 * What the projection keeps of an account in memory, and the rows it is read from and written to. The three rows are
 * written on their own, each guarded by its own sequence: after a crash on a store without transactions one may be ahead of
 * another, and what it has already is skipped for it alone.
 */
import { POSTING_TYPES, type AccountLimits, type AccountStatus, type PostingType } from '@sluice/domain/account';
import type { CalendarDate } from '@sluice/domain/day';
import type { Row } from '@sluice/ports';
import { decodeLinks, encodeLinks } from './account-links';
import type { EntrySpine } from './entry-spine';
import { decodeHolds, encodeHolds } from './hold-list';
import { decodeStatedDay, encodeStatedDay, type StatedDay } from './stated-day';

/** The row in `accounts`: what changes with every posting. */
export interface AccountState {
  readonly accountId: string;
  balanceMinor: bigint;
  heldMinor: bigint;
  version: number;
  entryCount: number;
  rejectionCount: number;
  /** Records in the entry chain: accepted and refused postings. */
  recordCount: number;
  balanceUpdatedAtUs: number;
  spine: EntrySpine;
  /** Sequence of the profile that belongs to it. */
  profileSequence: number;
  /** Sequence of the holds that belong to it; 0: there never were any. */
  holdsSequence: number;
  /** Undefined: no event of business dates names the account. */
  day: StatedDay | undefined;
  sequence: number;
}

/** The row in `account_profiles`: what hardly ever changes. */
export interface ProfileState {
  readonly accountId: string;
  readonly partition: number;
  readonly unit: string;
  readonly branchId: string;
  product: string;
  status: AccountStatus;
  limits: AccountLimits;
  signingKeyId: string;
  linkedAccountId: string;
  readonly openedAtUs: number;
  readonly openedSequence: number;
  /** Online date of its branch then; undefined: the branch had no business dates. */
  readonly openedDate: CalendarDate | undefined;
  sequence: number;
}

/** The row in `account_holds`. */
export interface HoldsState {
  readonly accountId: string;
  /** Hold id to what is left of it, oldest first. */
  readonly holds: Map<string, bigint>;
  /** Hold id to when it expires, microseconds; only holds that do. */
  readonly expiries: Map<string, number>;
  sequence: number;
}

export function accountRow(state: AccountState): Row {
  return {
    account_id: state.accountId,
    balance_minor: state.balanceMinor,
    held_minor: state.heldMinor,
    version: state.version,
    entry_count: state.entryCount,
    rejection_count: state.rejectionCount,
    balance_updated_at_us: state.balanceUpdatedAtUs,
    links: encodeLinks(state),
    day: state.day === undefined ? null : encodeStatedDay(state.day),
    sequence: state.sequence,
  };
}

export function accountStateOf(row: Row): AccountState {
  const { profileSequence, holdsSequence, recordCount, spine } = decodeLinks(row.links as Uint8Array);
  return {
    accountId: row.account_id as string,
    balanceMinor: row.balance_minor as bigint,
    heldMinor: row.held_minor as bigint,
    version: row.version as number,
    entryCount: row.entry_count as number,
    rejectionCount: row.rejection_count as number,
    recordCount,
    balanceUpdatedAtUs: row.balance_updated_at_us as number,
    spine,
    profileSequence,
    holdsSequence,
    day: row.day === null ? undefined : decodeStatedDay(row.day as Uint8Array),
    sequence: row.sequence as number,
  };
}

export function profileRow(state: ProfileState): Row {
  return {
    account_id: state.accountId,
    partition: state.partition,
    unit: state.unit,
    branch_id: state.branchId,
    product: state.product,
    status: state.status,
    overdraft_minor: state.limits.overdraftMinor,
    maximum_balance_minor: state.limits.maximumBalanceMinor ?? null,
    maximum_posting_minor: state.limits.maximumPostingMinor ?? null,
    allowed_types: state.limits.allowedTypes.join(','),
    signing_key_id: state.signingKeyId,
    linked_account_id: state.linkedAccountId,
    opened_at_us: state.openedAtUs,
    opened_sequence: state.openedSequence,
    opened_date: state.openedDate ?? null,
    sequence: state.sequence,
  };
}

export function profileStateOf(row: Row): ProfileState {
  return {
    accountId: row.account_id as string,
    partition: row.partition as number,
    unit: row.unit as string,
    branchId: row.branch_id as string,
    product: row.product as string,
    status: row.status as AccountStatus,
    limits: {
      overdraftMinor: row.overdraft_minor as bigint,
      maximumBalanceMinor: (row.maximum_balance_minor as bigint | null) ?? undefined,
      maximumPostingMinor: (row.maximum_posting_minor as bigint | null) ?? undefined,
      allowedTypes: allowedTypesOf(row.allowed_types as string),
    },
    signingKeyId: row.signing_key_id as string,
    linkedAccountId: row.linked_account_id as string,
    openedAtUs: row.opened_at_us as number,
    openedSequence: row.opened_sequence as number,
    openedDate: (row.opened_date as number | null) ?? undefined,
    sequence: row.sequence as number,
  };
}

function allowedTypesOf(names: string): readonly PostingType[] {
  if (names === '') return [];
  return names.split(',').map((name) => {
    const type = POSTING_TYPES.find((known) => known === name);
    if (type === undefined) throw new Error(`"${name}" is not a posting type`);
    return type;
  });
}

export function holdsRow(state: HoldsState): Row {
  return {
    account_id: state.accountId,
    open_holds: state.holds.size,
    holds: encodeHolds(state.holds, state.expiries),
    sequence: state.sequence,
  };
}

export function holdsStateOf(row: Row): HoldsState {
  return {
    accountId: row.account_id as string,
    ...decodeHolds(row.holds as Uint8Array),
    sequence: row.sequence as number,
  };
}
