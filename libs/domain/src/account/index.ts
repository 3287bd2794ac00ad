/** Accounts: what stands, what is asked for, what happens. */
export * from './account';
export * from './account-interest';
export * from './account-term';
export * from './hold-expiry';
export * from './lifecycle';
export * from './posting';
export * from './transfer';
export * from './whole-hold';
