/**
 * Deliberate defects, each a mistake that an engine like this could have. A simulation that cannot find them proves nothing. They are planted
 * by the simulation alone, where the services touch the world or in the prototypes of their classes; no switch for them stands in the
 * services.
 */
export interface Defect {
  /** What the engine would do wrong. */
  readonly what: string;
  /** The number of seeds, from 1 on, within which the simulation finds the defect; a test holds it to that. */
  readonly foundWithin: number;
  /** The only workload that can find it: it takes part in each of these seeds. Undefined: several can. */
  readonly workload?: string;
  /** Plants the defect; returns how to take it out again. */
  readonly plant: () => () => void;
}
