export { aggregateCapability, type AggregateCapability, type AggregateCapabilityOptions } from './aggregates/aggregate-capability';
export { aggregateCommits } from './aggregates/aggregate-commits';
export {
  commandMessage,
  type Acceptance,
  type AggregateCommand,
  type AggregateDefinition,
  type AnyAggregate,
  type CommandMessage,
  type CommitPlace,
  type Consequences,
  type Decision,
  type DecisionContext,
  type EventCodec,
  type Owed,
  type Rejection,
  type RequestBody,
  type RequestOrigin,
  type StateCodec,
  type StateSteps,
  type TimerChange,
} from './aggregates/aggregate-definition';
export type { AggregateInTurn } from './aggregates/aggregate-in-turn';
export { aggregateKey, type AggregateKey } from './aggregates/aggregate-kind';
export type { AggregateReader, AggregateState } from './aggregates/aggregate-state';
export { AggregateSubmission, type AggregateRequest } from './aggregates/aggregate-submission';
export type { GatheredAggregate, OpenEvent } from './aggregates/gathered-decisions';
export { nameKey, recordedRequests, requestDecided, type AggregateName, type RequestVerdict } from './aggregates/recorded-requests';
export { RequestIdHashes } from './aggregates/request-id-hash';
export { PackedTable, type RecordCodec } from './aggregates/packed-table';
export type { Capability, CapabilityState, PartitionServices, SnapshotSession, Submission, SubmissionCaller, SubmissionFailure } from './capability';
export { DEFAULT_DELIVERY_BUDGET, type DeliveryBudget } from './deliveries/delivery-budget';
export type { DeliveryTransport } from './deliveries/delivery-transport';
export { MisdirectedBatchError, type PartitionDeliveries } from './deliveries/partition-deliveries';
export { DeliveryFailedError } from './deliveries/take-submission';
export type { UnfinishedPlace } from './deliveries/unfinished';
export { Engine, type EngineDependencies } from './engine';
export { letHeapGrow } from './heap';
export type { DueCommand, OwedDelivery, SettledDelivery, TimerName } from './internal/engine-room';
export type { InternalCommand, InternalVerdict } from './internal/internal-command';
export { SILENT_OBSERVER, type EngineObserver, type TracedCommit, type TracedPublishing } from './engine-observer';
export { TurnLostError } from './partition/commits';
export { MAXIMUM_DELIVERY_BYTES } from './deliveries/limits';
export { DEFAULT_LIMITS, type PartitionLimits } from './partition/limits';
export { Partition, type PartitionState } from './partition/partition';
export { AbandonedError } from './partition/partition-memory';
export { QueueFullError, SubmissionTooLargeError } from './partition/submission-queue';
export { Turn } from './partition/turn';
export { isUnreadableLog, UNREADABLE_RETRY_MS, UnreadableEventError, unreadableLogAdvice, type UnreadableLogError } from './partition/unreadable-log';
export { CommitSearch, WantedRequests, type RecordedRequests } from './requests/commit-search';
export { RequestSubmission, type RequestRefusal } from './requests/request-submission';
export type { HopMethod, HopStreamListener, PartitionHop } from './routing/partition-hop';
export { hashSeeds, keyedHash, keyedHashIn, lastHash, requestHash, requestHashIn, wordsIn, type HashSeeds, type LogSeeds } from './request-index/request-hash';
export type { RequestIndex } from './request-index/request-index';
export type { RunSorter, Sorting } from './request-index/sorter';
export { WorkerPool, type PoolMode, type PoolReply } from './pool/worker-pool';
export type { DueState, DueTimers, PartitionTimers } from './timers/due-timers';
export type { PendingTimer } from './timers/timer-heap';
export { pageOfTimers, type TimerFilter, type TimerPosition } from './timers/timer-page';
