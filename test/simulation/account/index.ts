/** Accounts in the simulation. */
import type { SimulatedCapability } from '../simulated-capability';
import { accountDefects } from './account-defects';
import { AccountWorkload } from './account-workload';
import { ClientWorkload } from './client-workload';
import { TransferWorkload } from './transfer-workload';

export const simulatedCapability: SimulatedCapability = {
  name: 'account',
  workloads: {
    postings: (deployment) => new AccountWorkload(deployment),
    programs: (deployment) => new ClientWorkload(deployment),
    transfers: (deployment) => new TransferWorkload(deployment),
  },
  defects: accountDefects,
};
