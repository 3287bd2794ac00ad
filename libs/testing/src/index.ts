export * from './bus-contract';
export * from './clock-contract';
export * from './event-log-contract';
export * from './keyring-contract';
export * from './lease-contract';
export * from './pattern-bytes';
export * from './read-store-contract';
export * from './snapshot-store-contract';
