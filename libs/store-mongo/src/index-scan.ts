/**
 * Reads a part of an index. A place to go on from is a bound on several fields at once, which MongoDB has no operator for: the
 * scan is cut into parts, each with equal values in the first fields and a range on the next one, which an index answers
 * exactly. The parts are read one after the other until the page is full.
 *
 *   after (state 3, time 17, key k), ascending    state = 3, time = 17, key > k  →  state = 3, time > 17  →  state > 3
 */
import type { Collection, Document, Filter, FindCursor } from 'mongodb';

import type { IndexedValue, Row, RowScan, ScanEnd } from '@sluice/ports';

import { indexName } from './declared-indexes';
import type { RowDocument, RowMapping } from './row-document';

/** Reads one row more than the limit, which says whether there is another page. */
export async function readScan(collection: Collection<RowDocument>, mapping: RowMapping, scan: RowScan): Promise<Row[]> {
  // A row that moves while the parts are read may be met twice; it stays where it was met first.
  const found = new Map<string, Row>();
  for (const filter of partsOf(mapping, scan)) {
    const wanted = scan.limit + 1 - found.size;
    if (wanted <= 0) break;
    for (const document of await cursorOf(collection, mapping, scan, filter, wanted).toArray()) {
      if (!found.has(document._id)) found.set(document._id, mapping.toRow(document));
    }
  }
  return [...found.values()];
}

/** The stages of the plan of each part, with the names of the indexes that they read. */
export async function explainScan(collection: Collection<RowDocument>, mapping: RowMapping, scan: RowScan): Promise<string[][]> {
  const plans: string[][] = [];
  for (const filter of partsOf(mapping, scan)) {
    const { queryPlanner } = (await cursorOf(collection, mapping, scan, filter, scan.limit + 1).explain('queryPlanner')) as { queryPlanner: Document };
    plans.push(stagesOf(queryPlanner['winningPlan'] as PlanStage));
  }
  return plans;
}

function cursorOf(
  collection: Collection<RowDocument>,
  mapping: RowMapping,
  { fields, prefix, descending }: RowScan,
  filter: Filter<RowDocument>,
  limit: number,
): FindCursor<RowDocument> {
  const order = fields.slice(prefix.length).map((field): [string, 1 | -1] => [mapping.nameOf(field), descending ? -1 : 1]);
  // The hint makes the server refuse what it could not read through the index.
  return collection.find<RowDocument>(filter).sort(order).limit(limit).hint(indexName(fields));
}

function partsOf(mapping: RowMapping, { fields, prefix, low, high, descending }: RowScan): Filter<RowDocument>[] {
  const rest = fields.slice(prefix.length);
  const [start, end] = descending ? [high, low] : [low, high];
  const equal = (names: readonly string[], values: readonly IndexedValue[]): [string, unknown][] =>
    values.map((value, at) => [mapping.nameOf(names[at] as string), value]);
  const beyond = (bound: ScanEnd, isStart: boolean): string => {
    const direction = isStart !== descending ? '$gt' : '$lt';
    return bound.inclusive ? `${direction}e` : direction;
  };
  const depths = start === undefined ? [0] : start.values.map((_, at) => start.values.length - 1 - at);
  return depths.map((depth) => {
    const conditions: [string, unknown][] = [...equal(fields, prefix), ...equal(rest, start?.values.slice(0, depth) ?? [])];
    const range: [string, unknown][] = [];
    if (start !== undefined) range.push([beyond(start, true), start.values[depth]]);
    if (end !== undefined && depth === 0) range.push([beyond(end, false), end.values[0]]);
    if (range.length > 0) conditions.push([mapping.nameOf(rest[depth] as string), Object.fromEntries(range)]);
    return Object.fromEntries(conditions);
  });
}

interface PlanStage {
  readonly stage?: string;
  readonly indexName?: string;
  readonly inputStage?: PlanStage;
  readonly inputStages?: readonly PlanStage[];
  /** Where the server's newer engine answers, the plan stands one level deeper. */
  readonly queryPlan?: PlanStage;
}

function stagesOf(plan: PlanStage): string[] {
  const { stage, indexName: index, inputStage, inputStages = [], queryPlan } = plan;
  const own = stage === undefined ? [] : [index === undefined ? stage : `${stage} ${index}`];
  const inner = [queryPlan, inputStage, ...inputStages].filter((input) => input !== undefined);
  return [...own, ...inner.flatMap(stagesOf)];
}
