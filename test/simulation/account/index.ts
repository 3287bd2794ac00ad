/** Accounts in the simulation. */
export { AccountWorkload } from './account-workload';
