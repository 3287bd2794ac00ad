/**
 * The verification of projections whose aggregates are rows of one collection each: the log is folded into the row that each key must have, and
 * the rows are compared with that. What a capability gives is the second fold; it must not share the projection's.
 */
import type { CollectionDefinition, FieldValue, ReadCopy, Row } from '@sluice/ports';
import type { DecodedCommit } from '@sluice/protocol';
import { rowsOf } from './row-pages';
import { SET_ASIDE, setAsideKey } from './set-aside';
import type {
  AggregateName,
  AggregateVerification,
  PartitionVerification,
  ProjectionVerification,
  VerificationScope,
  VerifiedKind,
  VerifyingFold,
} from './verification';

export interface VerifiedRows<State> {
  /** Kind of aggregate that a row is, like "counter". */
  readonly aggregate: string;
  /** It has a guard, and a field "partition" unless it has one row per partition; an index "by_partition" spares reading the rows of the others. */
  readonly collection: CollectionDefinition;
  /** The one key of a partition; undefined: there are many. */
  readonly keyOf?: (partition: number) => string;
  /** The part of a key whose hash says in which partition the row is; undefined: the whole key. */
  readonly partitionKey?: (key: string) => string;
  /** True: the key is hashed whole, braces included. */
  readonly wholeKey?: boolean;
  /** What is counted in reports: "counters". */
  readonly counted: string;
  /** Kind of aggregate that is set aside with the row; its key is the partition key. Undefined: the row is set aside by itself. */
  readonly setAsideWith?: string;
  /** Calls `change` for each key that the commit changes, in order, with what its state is after that. */
  fold(commit: DecodedCommit, change: (key: string, next: (state: State | undefined) => State) => void): void;
  /** Fields of the row that the state makes, as far as they are compared. */
  row(state: State): Readonly<Record<string, FieldValue>>;
  /** The fields of a stored row in that form; undefined: as they are. */
  readonly stored?: (row: Row) => Readonly<Record<string, FieldValue>>;
  /** How many of what is counted the state is; undefined: one. */
  readonly count?: (state: State) => number;
}

/** One kind of row, whatever its states are. */
export interface RowKind extends Pick<VerifiedRows<unknown>, 'aggregate' | 'collection' | 'keyOf' | 'counted'>, VerifiedKind {
  /** By which the row is set aside. */
  readonly asideOf: (key: string) => AggregateName;
  /** @param only fold this key alone. */
  begin(head: number, captured: ReadonlyMap<string, Row>, only?: string): RowFold;
}

interface RowFold extends VerifyingFold {
  readonly keys: readonly string[];
  readonly count: number;
  /** What differs; undefined: neither side knows the key. */
  differences(key: string): string[] | undefined;
}

export function rowKind<State>(rows: VerifiedRows<State>): RowKind {
  const { aggregate, collection, keyOf, partitionKey = (key: string): string => key, wholeKey = false, counted, setAsideWith } = rows;
  const asideOf = (key: string): AggregateName => (setAsideWith === undefined ? { aggregate, key } : { aggregate: setAsideWith, key: partitionKey(key) });
  return { aggregate, asideOf, collection, keyOf, partitionKey, wholeKey, counted, begin: (head, captured, only) => new StateFold(rows, head, captured, only) };
}

/** Compares all of them. */
export function verifyRows(...kinds: readonly RowKind[]): ProjectionVerification {
  return {
    // What has one row per partition has no key that is hashed.
    kinds: kinds.flatMap(({ aggregate, keyOf, partitionKey, wholeKey }) => (keyOf === undefined ? [{ aggregate, partitionKey, wholeKey }] : [])),
    partition: async (scope) => {
      const folds: KindFold[] = [];
      for (const kind of kinds) folds.push({ kind, fold: kind.begin(scope.head, await captureRows(scope, kind)) });
      return partitionOf(folds);
    },
    aggregate: async (scope, name) => {
      const kind = kinds.find(({ aggregate }) => aggregate === name.aggregate);
      if (kind === undefined) throw new Error(`${scope.projection} has no aggregates of the kind ${name.aggregate}`);
      return aggregateOf(scope, name.key, kind, kind.begin(scope.head, await captureOne(scope.copy, kind.collection, name.key), name.key));
    },
  };
}

interface KindFold {
  readonly kind: RowKind;
  readonly fold: RowFold;
}

/** Each collection is compared at the sequences of its own rows. */
class StateFold<State> implements RowFold {
  readonly last: number;
  private readonly states = new Map<string, State>();

  constructor(
    private readonly rows: VerifiedRows<State>,
    private readonly head: number,
    private readonly captured: ReadonlyMap<string, Row>,
    private readonly only: string | undefined,
  ) {
    let last = head;
    for (const row of captured.values()) last = Math.max(last, this.sequenceOf(row));
    this.last = last;
  }

  take(commit: DecodedCommit): void {
    this.rows.fold(commit, (key, next) => {
      if (this.only !== undefined && key !== this.only) return;
      const row = this.captured.get(key);
      if (commit.sequence <= Math.max(this.head, row === undefined ? 0 : this.sequenceOf(row))) this.states.set(key, next(this.states.get(key)));
    });
  }

  get keys(): string[] {
    return [...new Set([...this.states.keys(), ...this.captured.keys()])];
  }

  get count(): number {
    const { states, captured } = this;
    const { count } = this.rows;
    if (count === undefined) return this.keys.length;
    let sum = 0;
    for (const state of states.values()) sum += count(state);
    for (const key of captured.keys()) if (!states.has(key)) sum += 1;
    return sum;
  }

  differences(key: string): string[] | undefined {
    const state = this.states.get(key);
    const row = this.captured.get(key);
    if (state === undefined) return row && ['the read store has it, the log does not'];
    if (row === undefined) return ['the log has it, the read store does not'];
    const stored = this.rows.stored?.(row) ?? row;
    return Object.entries(this.rows.row(state)).flatMap(([field, value]) =>
      stored[field] === value ? [] : [`${field}: the log says ${String(value)}, the read store ${String(stored[field])}`],
    );
  }

  private sequenceOf(row: Row): number {
    return row[this.rows.collection.guard ?? ''] as number;
  }
}

function partitionOf(folds: readonly KindFold[]): PartitionVerification {
  return {
    last: Math.max(...folds.map(({ fold }) => fold.last)),
    take: (commit) => {
      for (const { fold } of folds) fold.take(commit);
    },
    compare: async () => ({
      compared: Object.fromEntries(folds.map(({ kind, fold }) => [kind.counted, fold.count])),
      faults: [],
      suspicious: folds.flatMap(({ kind: { aggregate }, fold }) =>
        fold.keys.filter((key) => fold.differences(key)?.length !== 0).map((key) => ({ aggregate, key })),
      ),
    }),
  };
}

function aggregateOf({ copy, projection }: VerificationScope, key: string, { asideOf }: RowKind, fold: RowFold): AggregateVerification {
  return {
    last: fold.last,
    take: (commit) => fold.take(commit),
    compare: async () => {
      const differences = fold.differences(key);
      if (differences === undefined) return undefined;
      const { aggregate, key: asideKey } = asideOf(key);
      const aside = await copy.get(SET_ASIDE.name, setAsideKey(projection, aggregate, asideKey));
      if (aside !== undefined) differences.push(`it is set aside since sequence ${String(aside.sequence)}: ${String(aside.error)}`);
      return { differences, figures: {} };
    },
  };
}

async function captureRows({ copy, partition, signal }: VerificationScope, { collection, keyOf }: RowKind): Promise<Map<string, Row>> {
  if (keyOf !== undefined) return captureOne(copy, collection, keyOf(partition));
  const captured = new Map<string, Row>();
  const indexed = 'by_partition' in collection.indexes;
  const query = { collection: collection.name, ...(indexed && { index: 'by_partition', equals: { partition } }) };
  for await (const page of rowsOf(copy, query)) {
    signal.throwIfAborted();
    for (const row of page) if (row.partition === partition) captured.set(row[collection.key] as string, row);
  }
  return captured;
}

async function captureOne(copy: ReadCopy, { name }: CollectionDefinition, key: string): Promise<Map<string, Row>> {
  const row = await copy.get(name, key);
  return new Map(row === undefined ? [] : [[key, row]]);
}
