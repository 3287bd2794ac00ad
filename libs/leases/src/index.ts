export { LeaseEvents } from './lease-events';
export { type HolderListener, PartitionLeases, type PartitionLeasesOptions } from './partition-leases';
export { SessionLease, type SessionLeaseOptions } from './session-lease';
export { planMoves } from './share-plan';
