export * from './account/account';
export * from './account/hold-expiry';
export * from './account/lifecycle';
export * from './account/posting';
export * from './account/transfer';
export * from './partition/partition-key';
