/** Business days in the read store: their projection, and the readers of its rows. */
export { businessDayProjection as projection } from './business-day-projection';
export * from './collections';
export * from './business-day-reader';
export * from './day-totals-reader';
export type { BalanceTotal, DayTotalsState, LineTotal } from './day-totals-rows';
