/** Business days: calendars of branches. */
export * from './branch-calendar';
