/** Every defect that can be planted: those of the engine, and those of the capabilities. */
import { SIMULATED_CAPABILITIES } from '../capabilities.generated';
import type { Defect } from './defect';
import { roomDefects } from './room-defects';
import { storageDefects } from './storage-defects';

export const DEFECTS: ReadonlyMap<string, Defect> = allDefects();

export function defectNamed(name: string): Defect {
  const defect = DEFECTS.get(name);
  if (defect === undefined) throw new Error(`${name} is not a defect; known are ${[...DEFECTS.keys()].join(', ')}`);
  return defect;
}

function allDefects(): Map<string, Defect> {
  const all = new Map<string, Defect>();
  for (const defects of [storageDefects, roomDefects, ...SIMULATED_CAPABILITIES.map((capability) => capability.defects)]) {
    for (const [name, defect] of Object.entries(defects)) {
      if (all.has(name)) throw new Error(`two defects are called ${name}`);
      all.set(name, defect);
    }
  }
  return all;
}
