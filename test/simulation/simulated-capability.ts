/** What a capability gives to the simulation: callers with their judges, and defects that the simulation has to find. */
import type { Defect } from './defects/defect';
import type { Deployment, Workload } from './world/deployment';

export interface SimulatedCapability {
  /** "account". */
  readonly name: string;
  /** Made anew for each seed. They begin in this order, and are judged in the opposite one: what is owed and what is due comes last, and has to be done before the rest is compared. */
  workloads(deployment: Deployment): readonly Workload[];
  /** By names that no other capability uses. */
  readonly defects: Readonly<Record<string, Defect>>;
}
