/** The public face of the client library; what is not named here may change without notice. */
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
  Page,
  PageOptions,
  PlainInput,
  PostBatchOptions,
  ReadOptions,
  WatchOptions,
} from './accounts-client';
export type { CallOptions, StreamOptions } from './caller';
export type { TlsOptions } from './channel';
export type { AccountVerification, CommitView, EventView, KeyPartition, LogClient, ReadCommitsOptions, TailOptions } from './log-client';
export { POSTING_TYPES, type PostingInput, type PostingOutcome, type PostingResult, type PostingType } from './posting';
export type { BatchingOptions, PostStreamOptions } from './posting-options';
export type { PartitionStatus, ProjectionClient, ProjectionStatus, RebuildProgress, SetAsideAggregate, VerifyProgress } from './projection-client';
export type { RetryOptions } from './retry';
export { DEFAULT_TARGET, SluiceClient, type SluiceClientOptions } from './sluice-client';
export { type RefusalVerdict, SluiceError, type StatusName } from './sluice-error';
