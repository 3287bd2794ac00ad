/** The settings that capabilities declare, as one table. */
import type { ServiceCapability } from '../service-capability';
import type { Settings } from './setting';

/** Every setting of every one of the capabilities. */
export type DeclaredSettings<Capabilities extends readonly ServiceCapability[]> = Merged<Capabilities[number]['settings']> & object;

/** A union of objects as one object that has the fields of each. */
type Merged<Union> = (Union extends unknown ? (each: Union) => void : never) extends (all: infer All) => void ? All : never;

/**
 * Throws for a setting whose name does not begin with that of its capability, so that no two capabilities declare the same one, and for a name
 * that is taken.
 */
export function declaredSettings<const Capabilities extends readonly ServiceCapability[]>(
  capabilities: Capabilities,
  taken: readonly string[],
): DeclaredSettings<Capabilities> {
  const declared: Record<string, Settings[string]> = {};
  for (const { name: capability, settings } of capabilities) {
    for (const [name, setting] of Object.entries(settings)) {
      if (!new RegExp(`^${capability}[A-Z0-9]`).test(name)) throw new Error(`the setting ${name} must begin with the name of its capability, ${capability}`);
      if (taken.includes(name) || name in declared) throw new Error(`the setting ${name} of ${capability} is there already`);
      declared[name] = setting;
    }
  }
  return declared as DeclaredSettings<Capabilities>;
}
