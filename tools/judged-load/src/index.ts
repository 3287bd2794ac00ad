/**
 * Load on a running deployment, and the judgement of what it left: callers that keep a list of what was acknowledged, the gaps in
 * service and the lag that they saw, and the comparison of their list with what the services answer. For fault tests and chaos.
 */
export { type Access, metadataOf, PLAIN_ACCESS, QUICK_RECONNECT } from './access';
export { called, type CallOptions, NO_DEADLINE } from './called';
export { type Addresses, caughtUp, complaintsOf, judge, type Judgement } from './judgement';
export { leaseHolders, type LeaseHoldersOptions } from './lease-holders';
export { type Acknowledged, Load, type LoadObserver, type LoadOptions } from './load';
export { ProcessLines } from './process-lines';
export { type Freshness, ReadLag } from './read-lag';
export { ServiceCalls } from './service-calls';
export { type Gap, ServiceGaps } from './service-gaps';
export { spreadAccounts } from './spread-accounts';
export { UnstalledClock } from './unstalled-clock';
export { until } from './until';
