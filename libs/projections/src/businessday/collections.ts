/** The read collections of business days: a row per branch, run, totals of a run, and product. */
import type { CollectionDefinition } from '@sluice/ports';

/** Names the projection, with its format: rows of two formats stand apart. */
export const BUSINESS_DAY_PROJECTION = { name: 'businessday', format: 1 } as const;

export const BRANCHES: CollectionDefinition = {
  name: 'branches',
  key: 'branch_id',
  fields: {
    branch_id: 'text',
    partition: 'number',
    /** Dates are days since 1970-01-01. */
    online_date: 'number',
    batch_date: 'number',
    /** The run that moved the date last; empty: registered, or set by hand. */
    online_run_id: 'text',
    batch_run_id: 'text',
    /** The run under way; empty: none. */
    run_id: 'text',
    /** RUNNING, WAITING or PAUSED; empty: there is none. */
    run_state: 'text',
    /** CUT, BATCH or BEGIN; empty: there is none. */
    run_goal: 'text',
    /** Kinds of its steps, joined by commas. */
    run_steps: 'text',
    run_steps_ended: 'number',
    /** Accounts that its steps have set aside. */
    run_set_aside: 'number',
    /** sluice.businessday.v1.BranchSettings. */
    settings: 'bytes',
    /** Cut time of the batch date: where days are cut by themselves, a change of the settings holds from the next date on. */
    cut_time_zone: 'text',
    cut_minutes: 'number',
    version: 'number',
    sequence: 'number',
  },
  indexes: { by_partition: ['partition'] },
  guard: 'sequence',
};

export const BATCH_RUNS: CollectionDefinition = {
  name: 'batch_runs',
  key: 'run_id',
  fields: {
    run_id: 'text',
    partition: 'number',
    branch_id: 'text',
    date: 'number',
    next_date: 'number',
    /** RUNNING, WAITING, PAUSED or ENDED. */
    state: 'text',
    /** CUT, BATCH or BEGIN. */
    goal: 'text',
    begun_at_us: 'number',
    /** 0: it has not ended. */
    ended_at_us: 'number',
    /** Its steps in order: `RunStepState`; JSON. */
    steps: 'text',
    /** The first 100 accounts that were set aside: account, number of the step, reason; JSON. */
    set_aside: 'text',
    set_aside_count: 'number',
    stragglers: 'number',
    forced_reason: 'text',
    sequence: 'number',
  },
  indexes: { by_branch: ['branch_id', 'date'], by_partition: ['partition'] },
  guard: 'sequence',
};

export const DAY_TOTALS: CollectionDefinition = {
  name: 'day_totals',
  key: 'run_id',
  fields: {
    run_id: 'text',
    partition: 'number',
    branch_id: 'text',
    date: 'number',
    /** Number of the step that adds up; -1: the run has none. */
    accounting_step: 'number',
    /** When it ended; 0: it has not. */
    accounted_at_us: 'number',
    /** Balances by product and unit: `BalanceTotal`; JSON. */
    balances: 'text',
    /** Postings by product, unit and contra line: `LineTotal`; JSON. */
    lines: 'text',
    /** What an earlier run of the same date said, before the dates were set back: when, and its balances. 0: there was none. */
    earlier_at_us: 'number',
    earlier_balances: 'text',
    sequence: 'number',
  },
  indexes: { by_branch: ['branch_id', 'accounted_at_us'], by_earlier: ['branch_id', 'earlier_at_us'], by_partition: ['partition'] },
  guard: 'sequence',
};

export const PRODUCTS: CollectionDefinition = {
  name: 'products',
  key: 'product_id',
  fields: {
    product_id: 'text',
    partition: 'number',
    /** sluice.businessday.v1.Product. */
    product: 'bytes',
    sequence: 'number',
  },
  indexes: { by_partition: ['partition'] },
  guard: 'sequence',
};

/** Kinds of aggregates by which rows are set aside. */
export const BRANCH_AGGREGATE = 'branch';
export const RUN_AGGREGATE = 'run';
export const TOTALS_AGGREGATE = 'totals';
export const PRODUCT_AGGREGATE = 'product';

/** All products are those of one aggregate, which has this key. */
export const CATALOGUE_KEY = 'products';

/** Accounts that were set aside, as a row lists them; the others are counted. */
export const LISTED_SET_ASIDE = 100;
