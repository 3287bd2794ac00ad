export * from './data-folder-lock';
export * from './sqlite-event-log';
export * from './sqlite-keyring';
export * from './sqlite-read-store';
export * from './sqlite-snapshot-store';
