/**
 * Rows of the read store as documents: the key becomes `_id`, every other field keeps its name. int64 travels as MongoDB's
 * int64 and comes back as bigint; safe integers are doubles or int32, which MongoDB compares by value.
 */
import { Binary } from 'mongodb';

import { assertCollection, assertIndexed, type CollectionDefinition, type FieldType, type FieldValue, indexedFields, type Row } from '@sluice/ports';

export type RowDocument = { readonly _id: string } & Readonly<Record<string, unknown>>;

/** Turns rows of one collection into documents and back. */
export class RowMapping {
  readonly #fields: readonly (readonly [name: string, type: FieldType])[];
  readonly #indexedFields: readonly string[];

  constructor(readonly definition: CollectionDefinition) {
    assertCollection(definition);
    this.#indexedFields = indexedFields(definition);
    this.#fields = Object.entries(definition.fields).filter(([name]) => name !== definition.key);
  }

  /** Throws for a row that is not one of this collection. */
  toDocument(row: Row): RowDocument {
    const { name, key, fields } = this.definition;
    for (const field of Object.keys(row)) if (!(field in fields)) throw new Error(`${name} has no field ${field}`);
    const id = row[key];
    if (typeof id !== 'string') throw new Error(`a row of ${name} has no key`);
    assertIndexed(this.definition, this.#indexedFields, row);
    const document: { _id: string } & Record<string, unknown> = { _id: id };
    for (const [field] of this.#fields) document[field] = toStored(row[field] ?? null);
    return document;
  }

  toRow(document: RowDocument): Row {
    const row: Record<string, FieldValue> = { [this.definition.key]: document._id };
    for (const [field, type] of this.#fields) row[field] = fromStored(document[field], type);
    return row;
  }

  /** Name of the field in documents. */
  nameOf(field: string): string {
    return field === this.definition.key ? '_id' : field;
  }
}

/** About how many bytes the document takes on the wire. */
export function approximateBytes(document: RowDocument): number {
  let bytes = 16;
  for (const [name, value] of Object.entries(document)) {
    bytes += name.length + 12;
    if (typeof value === 'string') bytes += value.length * 3;
    else if (value instanceof Binary) bytes += value.length();
  }
  return bytes;
}

function toStored(value: FieldValue): unknown {
  return value instanceof Uint8Array ? new Binary(value) : value;
}

function fromStored(value: unknown, type: FieldType): FieldValue {
  if (value === null || value === undefined) return null;
  switch (type) {
    case 'int64':
      return BigInt(value as bigint | number);
    case 'number':
      return Number(value);
    case 'bytes':
      return (value as Binary).value();
    case 'text':
    case 'boolean':
      return value as string | boolean;
    default:
      return type satisfies never;
  }
}
