export * from './event-log-contract';
export * from './pattern-bytes';
export * from './account-history';
