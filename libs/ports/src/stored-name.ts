/** Where a copy of the read store keeps a collection: under its name, and the format that its rows have. */
import type { CollectionDefinition } from './read-store';

export function storedName({ name, format }: Pick<CollectionDefinition, 'name' | 'format'>): string {
  return format === undefined ? name : `${name}_${format}`;
}
