/** Queries for tests of read stores: every shape that a collection's indexes admit. */
import type { CollectionDefinition, FieldType, IndexedValue, RowPosition, RowQuery } from '@sluice/ports';

/**
 * One query for each way in which the collection can be asked: by the key and by every index, with every number of fields that
 * must equal, with and without a range and a place to go on from, in both directions.
 */
export function everyQueryOf(definition: CollectionDefinition): RowQuery[] {
  const { name: collection, key, fields, indexes } = definition;
  const sampleOf = (field: string, at: number): IndexedValue => SAMPLES[fields[field] as FieldType]?.[at] as IndexedValue;
  return [undefined, ...Object.keys(indexes)].flatMap((index) => {
    const ordered = [...(index === undefined ? [] : (indexes[index] ?? [])), key];
    return ordered.flatMap((_, count) => {
      const equals = Object.fromEntries(ordered.slice(0, count).map((field) => [field, sampleOf(field, 0)]));
      const rest = ordered.slice(count);
      const first = rest[0] as string;
      const ranges = [undefined, { from: sampleOf(first, 0) }, { before: sampleOf(first, 2) }, { from: sampleOf(first, 0), before: sampleOf(first, 2) }];
      const places: (RowPosition | undefined)[] = [undefined, rest.map((field) => sampleOf(field, 1))];
      return ranges.flatMap((range) =>
        places.flatMap((after) =>
          (['ascending', 'descending'] as const).map((direction) => ({
            collection,
            ...(index !== undefined && { index }),
            equals,
            ...(range !== undefined && { range }),
            ...(after !== undefined && { after }),
            direction,
            limit: 10,
          })),
        ),
      );
    });
  });
}

/** What a query asks, for the name of a test. */
export function describeQuery({ collection, index, equals = {}, range, after, direction }: RowQuery): string {
  const parts = [
    ...Object.keys(equals).map((field) => `${field} =`),
    ...(range?.from === undefined ? [] : ['from']),
    ...(range?.before === undefined ? [] : ['before']),
    ...(after === undefined ? [] : ['after']),
    direction ?? 'ascending',
  ];
  return `${collection} ${index ?? 'by key'}: ${parts.join(', ')}`;
}

/** Three values of each type, in order. Of booleans there are two; a range of them ends with the last. */
const SAMPLES: Readonly<Record<FieldType, readonly IndexedValue[]>> = {
  text: ['a', 'b', 'c'],
  int64: [-1n, 0n, 1n],
  number: [-1, 0, 1],
  boolean: [false, false, true],
  bytes: [],
};
