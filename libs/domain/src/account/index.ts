/** Accounts: what stands, what is asked for, what happens. */
export * from './account';
export * from './lifecycle';
export * from './posting';
