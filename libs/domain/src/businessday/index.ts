/** Business days: dates, calendars of branches, interest, and the two balances of an account. */
export * from './account-day';
export * from './branch-calendar';
export * from './calendar-date';
export * from './day-count';
export * from './interest';
