/**
 * The read collections of accounts. What changes with every posting (`accounts`) is apart from what hardly ever changes and
 * is indexed (`account_profiles`), so that a posting touches no secondary index; holds are apart because only few accounts
 * have any. The row in `accounts` names the sequence of the profile and of the holds that belong to it, by which a reader
 * sees that it has read two moments. Entries are not rows: blocks of them are in `entry_segments` (entry-block.ts).
 */
import type { CollectionDefinition } from '@sluice/ports';

export const ACCOUNTS: CollectionDefinition = {
  name: 'accounts',
  key: 'account_id',
  fields: {
    account_id: 'text',
    balance_minor: 'int64',
    held_minor: 'int64',
    version: 'number',
    entry_count: 'number',
    rejection_count: 'number',
    balance_updated_at_us: 'number',
    /** What leads to its other rows, and to its entries (account-links.ts). One field, because every field costs every write. */
    links: 'bytes',
    /** What events say of its business dates (stated-day.ts); null: none names it. */
    day: 'bytes',
    sequence: 'number',
  },
  indexes: {},
  guard: 'sequence',
};

export const ACCOUNT_PROFILES: CollectionDefinition = {
  name: 'account_profiles',
  key: 'account_id',
  fields: {
    account_id: 'text',
    partition: 'number',
    unit: 'text',
    branch_id: 'text',
    product: 'text',
    /** OPEN, FROZEN or CLOSED. */
    status: 'text',
    overdraft_minor: 'int64',
    /** null: no limit. */
    maximum_balance_minor: 'int64',
    /** null: no limit. */
    maximum_posting_minor: 'int64',
    /** Names joined by commas; empty: all. */
    allowed_types: 'text',
    signing_key_id: 'text',
    linked_account_id: 'text',
    opened_at_us: 'number',
    opened_sequence: 'number',
    /** Online date of its branch then, days since 1970-01-01; null: the branch had no business dates. */
    opened_date: 'number',
    sequence: 'number',
  },
  // One field each, so that every listing is in the order of the ids: an account that changes meanwhile keeps its place in it.
  indexes: {
    by_partition: ['partition'],
    by_branch: ['branch_id'],
    by_product: ['product'],
    by_status: ['status'],
    by_unit: ['unit'],
  },
  guard: 'sequence',
};

export const ACCOUNT_HOLDS: CollectionDefinition = {
  name: 'account_holds',
  key: 'account_id',
  fields: {
    account_id: 'text',
    open_holds: 'number',
    /** The open holds, oldest first (hold-list.ts). */
    holds: 'bytes',
    sequence: 'number',
  },
  indexes: {},
  guard: 'sequence',
};

export const ENTRY_SEGMENTS: CollectionDefinition = {
  name: 'entry_segments',
  key: 'segment_id',
  fields: { segment_id: 'text', partition: 'number', blocks: 'bytes' },
  indexes: {},
};

/** Transfers that one event records from one account to the same target, of the partition of the debited account (transfer-group.ts). */
export const TRANSFERS: CollectionDefinition = {
  name: 'transfers',
  key: 'transfer_id',
  fields: {
    /** Of the first of them: debited account and request id. */
    transfer_id: 'text',
    from_account_id: 'text',
    to_account_id: 'text',
    /** PENDING if one of them is, else REFUNDED if one of them is, else SETTLED. */
    state: 'text',
    created_at_us: 'number',
    /** The transfers, with unit, amounts and states. One field, because every field costs every write. */
    transfers: 'bytes',
    partition: 'number',
    sequence: 'number',
  },
  indexes: {
    by_from: ['from_account_id', 'created_at_us'],
    by_to: ['to_account_id', 'created_at_us'],
    by_state: ['state', 'created_at_us'],
  },
  guard: 'sequence',
};

/** Where a transfer is that is not the first one of its row. Without indexes, because there is a row per transfer. */
export const TRANSFER_KEYS: CollectionDefinition = {
  name: 'transfer_keys',
  key: 'transfer_id',
  fields: {
    transfer_id: 'text',
    /** Key in `transfers`. */
    group_id: 'text',
    sequence: 'number',
  },
  indexes: {},
  guard: 'sequence',
};

/** What an account closed a date with, where it is another balance than at the end of the date before (closings-fold.ts). */
export const CLOSING_BALANCES: CollectionDefinition = {
  name: 'closing_balances',
  key: 'closing_id',
  fields: {
    /** Partition, account and date (closing-id.ts). */
    closing_id: 'text',
    account_id: 'text',
    /** Days since 1970-01-01. */
    date: 'number',
    balance_minor: 'int64',
    sequence: 'number',
  },
  indexes: {},
  guard: 'sequence',
};

/** The business dates of a branch as the accounts of one partition know them (account-branch-days.ts). */
export const ACCOUNT_BRANCH_DAYS: CollectionDefinition = {
  name: 'account_branch_days',
  key: 'branch_day_id',
  fields: {
    /** Partition and branch. */
    branch_day_id: 'text',
    branch_id: 'text',
    partition: 'number',
    /** Days since 1970-01-01. */
    online_date: 'number',
    /** All accounts of the branch in the partition are rolled up to this date. */
    rolled_date: 'number',
    /** When dates were set for the first time or by hand; JSON. */
    set_dates: 'text',
    sequence: 'number',
  },
  indexes: { by_branch: ['branch_id'] },
  guard: 'sequence',
};

export const ACCOUNT_COLLECTIONS: readonly CollectionDefinition[] = [
  ACCOUNTS,
  ACCOUNT_PROFILES,
  ACCOUNT_HOLDS,
  ENTRY_SEGMENTS,
  TRANSFERS,
  TRANSFER_KEYS,
  CLOSING_BALANCES,
  ACCOUNT_BRANCH_DAYS,
];
