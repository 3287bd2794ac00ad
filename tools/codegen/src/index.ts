export * from './artifacts';
export * from './baseline';
export * from './buf';
export * from './capability-lists';
