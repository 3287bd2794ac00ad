/** What capabilities share about dates: the calendar, interest, and the two balances of an account. */
export * from './account-day';
export * from './branch-day';
export * from './calendar-date';
export * from './day-count';
export * from './interest';
