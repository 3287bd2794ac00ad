export * from './event-log-contract';
export * from './pattern-bytes';
export * from './read-store-contract';
