/** Names of enums between the library and the messages that travel. */

/** The name without what all names of its enum begin with; empty: the enum does not have the value. */
export function suffix(name: string | undefined, prefix: string): string {
  return name === undefined ? '' : name.slice(prefix.length);
}
