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
  EntryOrigin,
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
} from './accounts-client';
export { POSTING_TYPES, type PostingInput, type PostingOutcome, type PostingResult, type PostingType } from './posting';
export {
  TRANSFER_STATES,
  type Transfer,
  type TransferFilter,
  type TransferInput,
  type TransferOutcome,
  type TransferResult,
  type TransferState,
} from './transfer';
