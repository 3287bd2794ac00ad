/** Tasks in the simulation. */
import type { SimulatedCapability } from '../simulated-capability';
import { taskDefects } from './task-defects';
import { TaskWorkload } from './task-workload';

export const simulatedCapability: SimulatedCapability = {
  name: 'task',
  workloads: { tasks: (deployment) => new TaskWorkload(deployment) },
  defects: taskDefects,
};
