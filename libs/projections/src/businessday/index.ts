/** Business days in the read store: their projection, and the readers of its rows. */
export { businessDayProjection as projection } from './business-day-projection';
export * from './collections';
export * from './business-day-reader';
export { type BalanceTotal, type DayTotalsState, dayTotalsStateOf, type LineTotal } from './day-totals-rows';
