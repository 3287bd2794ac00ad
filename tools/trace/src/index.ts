/** One posting's way through all services, as a trace. */
export { traceOnePosting, type TracedPosting } from './trace-one-posting';
export { traceTree } from './trace-tree';
