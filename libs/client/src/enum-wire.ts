/** Names of enums between the library and the messages that travel. */

/** The name without what all names of its enum begin with; empty: the enum does not have the value. */
export function suffix(name: string | undefined, prefix: string): string {
  return name === undefined ? '' : name.slice(prefix.length);
}

/**
 * The name of a value of an enum whose names all begin with the prefix.
 * @returns undefined: it is unspecified, or this library does not know it.
 */
export function nameOfValue<Name extends string, Prefix extends string>(
  names: readonly Name[],
  values: Readonly<Record<`${Prefix}${Name}`, number>>,
  prefix: Prefix,
  value: number,
): Name | undefined {
  return names.find((name) => values[`${prefix}${name}`] === value);
}
