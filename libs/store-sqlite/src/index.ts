export * from './sqlite-event-log';
