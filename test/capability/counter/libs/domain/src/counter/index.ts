/** Counters: what stands, what is asked for, what happens. */
export * from './counter';
