/** The public face of the client library; what is not named here, or in the `public.ts` of a capability, may change without notice. */
export * from './public.generated';
export type { BatchingOptions } from './batching-options';
export type { CallOptions, StreamOptions } from './caller';
export type { TlsOptions } from './channel';
export type { ItemStreamOptions } from './item-stream-options';
export type {
  AccountVerification,
  AggregateVerification,
  CommitView,
  EventView,
  KeyPartition,
  LogClient,
  ReadCommitsOptions,
  TailOptions,
  VerifiedAggregate,
} from './log-client';
export type { PartitionStatus, ProjectionClient, ProjectionStatus, RebuildProgress, SetAsideAggregate, VerifyProgress } from './projection-client';
export type { Page, PageOptions, ReadOptions, WatchOptions } from './reads';
export type { RetryOptions } from './retry';
export type {
  DeliveryState,
  ParkedTimers,
  SchedulerClient,
  SchedulerStatus,
  TimerFilter,
  UnfinishedDelivery,
  UnfinishedFilter,
  WaitingTimer,
} from './scheduler-client';
export { DEFAULT_TARGET, SluiceClient, type SluiceClientOptions } from './sluice-client';
export { type RefusalVerdict, SluiceError, type StatusName } from './sluice-error';
