export type { CopyIdentity } from './copy-registry';
export {
  beginNewLog,
  EventLogPresentError,
  MissingEventLogError,
  renewIncarnation,
  NoEventLogError,
  PartitionCountMismatchError,
  type ReadStoreSource,
} from './log-identity-document';
export { logExtent, type LogRepair, repairLog } from './log-repair';
export { MongoConnection, MongoUnavailableError, type MongoConnectionOptions } from './mongo-connection';
export { MongoEventLog, type MongoEventLogOptions } from './mongo-event-log';
export { KeyringSecretError, MongoKeyring } from './mongo-keyring';
export { MongoReadStore, type MongoReadStoreOptions } from './mongo-read-store';
export { MongoSnapshotStore } from './mongo-snapshot-store';
