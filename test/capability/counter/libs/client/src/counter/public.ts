/** What users of the library see of counters. */
export type { AdditionResult, Counter, CountersClient } from './counters-client';
