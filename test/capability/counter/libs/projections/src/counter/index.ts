/** Counters in the read store: their projection, and the readers of its rows. */
export { counterProjection as projection } from './counter-projection';

export * from './collections';
export { counterOf, totalsOf } from './counter-projection';
