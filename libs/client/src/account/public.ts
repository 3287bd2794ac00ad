/** What users of the library see of accounts. */
export type {
  Account,
  AccountChange,
  AccountLimits,
  AccountOpening,
  AccountStatus,
  BalanceAt,
  CommandResult,
  Entry,
  Hold,
  StatusChange,
} from './account';
export type {
  AccountFilter,
  AccountsClient,
  EntriesFilter,
  Moment,
  OnHoldInput,
  OpeningOutcome,
  PlainInput,
  PostBatchOptions,
  WatchOptions,
} from './accounts-client';
export { POSTING_TYPES, type PostingInput, type PostingOutcome, type PostingResult, type PostingType } from './posting';
export type { PostStreamOptions } from './posting-options';
