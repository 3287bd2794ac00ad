import type { Cell } from '@sluice/terminal';
import type { Bench } from '../bench';
import type { Outcome } from '../report/report';

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

export interface ScenarioResult extends Outcome {
  readonly tables: readonly Table[];
}

export interface Scenario {
  run(bench: Bench): Promise<ScenarioResult>;
}
