export { renewIncarnation, PartitionCountMismatchError } from './log-identity-document';
export { MongoConnection, MongoUnavailableError, type MongoConnectionOptions } from './mongo-connection';
export { MongoEventLog, type MongoEventLogOptions } from './mongo-event-log';
