export * from './account/account';
export * from './account/lifecycle';
export * from './account/posting';
export * from './partition/partition-key';
