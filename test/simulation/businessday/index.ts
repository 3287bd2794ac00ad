/** Business days in the simulation. */
import type { SimulatedCapability } from '../simulated-capability';
import { businessDayDefects } from './business-day-defects';
import { BusinessDayWorkload } from './business-day-workload';

export const simulatedCapability: SimulatedCapability = {
  name: 'businessday',
  workloads: { 'business-days': (deployment) => new BusinessDayWorkload(deployment) },
  defects: businessDayDefects,
};
