/** What a capability gives to the simulation: callers with their judges, and defects that the simulation has to find. */
import type { Defect } from './defects/defect';
import type { Deployment, Workload } from './world/deployment';

export interface SimulatedCapability {
  /** "account". */
  readonly name: string;
  /**
   * By names that no other capability uses; each takes part in some of the seeds, and is made anew for each. They begin in this order, and are judged in the opposite one: what is
   * owed and what is due comes last, and has to be done before the rest is compared.
   */
  readonly workloads: Readonly<Record<string, (deployment: Deployment) => Workload>>;
  /** By names that no other capability uses. */
  readonly defects: Readonly<Record<string, Defect>>;
}
