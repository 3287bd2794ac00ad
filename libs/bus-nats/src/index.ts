export type { CommitStreamLimits } from './commit-stream';
export { NatsBus, type NatsBusOptions } from './nats-bus';
export { NatsLeaseTable, type NatsLeaseTableOptions } from './nats-lease-table';
export { NatsLink, NatsUnavailableError, type NatsLinkOptions } from './nats-link';
export { StreamMismatchError } from './stream-configuration';
