import type { Bench } from '../bench';
import type { Outcome } from '../report/report';
import type { Cell } from '../report/table';

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

export interface ScenarioResult extends Outcome {
  readonly tables: readonly Table[];
}

export interface Scenario {
  readonly name: string;
  /** One line for the usage. */
  readonly about: string;
  run(bench: Bench): Promise<ScenarioResult>;
}
