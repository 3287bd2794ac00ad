/** Business days in the simulation. */
import type { SimulatedCapability } from '../simulated-capability';
import { BusinessDayWorkload } from './business-day-workload';

export const simulatedCapability: SimulatedCapability = {
  name: 'businessday',
  workloads: { 'business-days': (deployment) => new BusinessDayWorkload(deployment) },
  // Theirs are of accounts, which date postings: they stand there.
  defects: {},
};
