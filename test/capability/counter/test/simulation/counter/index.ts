/** Counters in the simulation. */
import type { SimulatedCapability } from '../simulated-capability';
import { CounterWorkload } from './counter-workload';

export const simulatedCapability: SimulatedCapability = {
  name: 'counter',
  workloads: { counters: (deployment) => new CounterWorkload(deployment) },
  defects: {},
};
