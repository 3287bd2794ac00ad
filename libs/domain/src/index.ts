export * from './partition/partition-key';
