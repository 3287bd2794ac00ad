export * from './bus';
export * from './clock';
export * from './event-log';
export * from './keyring';
export * from './lease';
export * from './read-store';
export * from './snapshot-store';
