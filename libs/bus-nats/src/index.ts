export type { CommitStreamLimits } from './commit-stream';
export { NatsBus, type NatsBusOptions } from './nats-bus';
export { NatsLease, type NatsLeaseOptions } from './nats-lease';
export { NatsLink, NatsUnavailableError, type NatsLinkOptions } from './nats-link';
export { StreamMismatchError } from './stream-configuration';
