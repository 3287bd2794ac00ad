export * from './sqlite-event-log';
export * from './sqlite-read-store';
