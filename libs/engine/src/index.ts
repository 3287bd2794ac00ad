export type { Capability, CapabilityState, SnapshotSession, Submission, SubmissionFailure } from './capability';
export { Engine, type EngineDependencies } from './engine';
export { SILENT_OBSERVER, type EngineObserver } from './engine-observer';
export { TurnLostError } from './partition/commits';
export { DEFAULT_LIMITS, type PartitionLimits } from './partition/limits';
export { Partition, QueueFullError, type PartitionServices, type PartitionState } from './partition/partition';
export { Turn } from './partition/turn';
export { lastHash, requestHash, type HashSeeds } from './request-index/request-hash';
export type { RequestIndex } from './request-index/request-index';
