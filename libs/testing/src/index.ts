export * from './event-log-contract';
export * from './pattern-bytes';
