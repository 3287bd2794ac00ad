export * from './artifacts';
export * from './baseline';
export * from './buf';
