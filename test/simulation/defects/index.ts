/**
 * Deliberate defects, each a mistake that an engine like this could have. A simulation that cannot find them proves nothing. They are planted
 * by the simulation alone, where the services touch the world or in the prototypes of their classes; no switch for them stands in the
 * services.
 *
 * `foundWithin` is the number of seeds, from 1 on, within which the simulation finds the defect; a test holds it to that.
 */
import { accountDefects } from './account-defects';
import { roomDefects } from './room-defects';
import { storageDefects } from './storage-defects';

export interface Defect {
  /** What the engine would do wrong. */
  readonly what: string;
  readonly foundWithin: number;
  /** Plants the defect; returns how to take it out again. */
  readonly plant: () => () => void;
}

export const DEFECTS = { ...storageDefects, ...accountDefects, ...roomDefects } satisfies Record<string, Defect>;
export type DefectName = keyof typeof DEFECTS;
