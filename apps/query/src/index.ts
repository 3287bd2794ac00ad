/** The query service: reads, from the read store alone. */
export { type QueryDependencies, type QueryRuntime, startQuery } from './query';
