export * from './data-folder-lock';
export * from './data-folder-survey';
export { KeyringSecretError } from './keyring-secret';
export * from './sqlite-event-log';
export * from './sqlite-keyring';
export * from './sqlite-read-store';
export * from './sqlite-snapshot-store';
export { openingDataFile, UnreadableDataFileError } from './unreadable-data-file';
