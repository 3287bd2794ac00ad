/**
 * What is done, in which order. A plan has lanes that run side by side; within a lane the next step waits until what the step
 * before took away is back. The steps of a lane depend on nothing but the seed.
 */
import { randomLanes } from './random-lanes';
import type { Step } from './step';
import { uptimeLanes } from './uptime-lanes';

export const PLAN_NAMES = ['random', 'uptime'] as const;
export type PlanName = (typeof PLAN_NAMES)[number];

export interface Lane {
  readonly name: string;
  readonly steps: Iterable<Step>;
}

/** What there is to take away. */
export interface Cast {
  readonly command: readonly string[];
  readonly projector: readonly string[];
  readonly query: readonly string[];
  readonly scheduler: readonly string[];
  readonly nats: string;
  readonly mongodb: string;
  /** False: the server does not write synchronously, so it is never killed. */
  readonly mongodbSurvivesKill: boolean;
}

export function lanesOf(plan: PlanName, seed: number, cast: Cast): readonly Lane[] {
  switch (plan) {
    case 'random':
      return randomLanes(seed, cast);
    case 'uptime':
      return uptimeLanes(seed, cast);
    default:
      return plan satisfies never;
  }
}
