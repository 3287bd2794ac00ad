/** All services as processes of their own, with the servers they need, for tests and tools. */
export { environmentFor } from './service-environment';
export { ServiceChild } from './service-child';
export { SERVICE_NAMES, type ServiceName } from './service-name';
export { WorkerChild, type WorkerChildOptions } from './worker-child';
export { type Distributed, type DistributedOptions, type ProcessSurroundings, startDistributed } from './start-distributed';
