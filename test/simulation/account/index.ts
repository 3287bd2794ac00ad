/** Accounts in the simulation. */
export { AccountWorkload } from './account-workload';
export { TransferWorkload } from './transfer-workload';
