/** Contests in the simulation. */
import type { SimulatedCapability } from '../simulated-capability';
import { contestDefects } from './contest-defects';
import { ContestWorkload } from './contest-workload';

export const simulatedCapability: SimulatedCapability = {
  name: 'contest',
  workloads: { contests: (deployment) => new ContestWorkload(deployment) },
  defects: contestDefects,
};
