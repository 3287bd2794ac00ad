/**
 * Projections whose aggregates are rows: each event changes the row of a key, and the row says which commit it reflects. What a capability gives is
 * how events change a state, and the row that a state is; reading, caching, repeated flushes and aggregates that throw are done here.
 *
 * A flush may be repeated after a crash, cut otherwise, and on a store without transactions some rows may have it already: each row
 * skips what it has. So a state must depend on the events of its key alone, never on whether another row is there.
 */
import type { CollectionDefinition, FieldValue, Row, RowWrite } from '@sluice/ports';
import type { DecodedCommit, EventRecord } from '@sluice/protocol';
import type { LoadedRows, PartitionProjection, Projected, Projection, RowKeys, SetAside } from './projection';
import { RecentCache } from './recent-cache';
import { SetAsideAggregates } from './set-aside';

export interface ProjectedRows<State, Change> {
  /** Kind of aggregate that a row is, like "counter". */
  readonly aggregate: string;
  /** It has a guard. */
  readonly collection: CollectionDefinition;
  /** Calls back for each key that the event changes. False: it is not one of this capability's events. Throws UnknownEventError. */
  read(commit: DecodedCommit, event: EventRecord, visit: (key: string, change: Change) => void): boolean;
  /** The state after the change; it may be the same object. Throws for a change that cannot follow: the aggregate is set aside. */
  evolve(state: State | undefined, change: Change, commit: DecodedCommit): State;
  /** Fields of the row; key and guard are added. */
  row(state: State, partition: number): Readonly<Record<string, FieldValue>>;
  stateOf(row: Row): State;
}

/** One kind of row, whatever its states and changes are. */
export interface RowProjection {
  readonly collection: CollectionDefinition;
  open(partition: number, setAside: readonly SetAside[], cachedAggregates: number): RowsOfKind;
}

interface RowsOfKind {
  take(commit: DecodedCommit, event: EventRecord): boolean;
  missing(): readonly string[];
  project(loaded: LoadedRows): { readonly writes: RowWrite[]; readonly setAside: SetAside[] };
}

export function projectedRows<State, Change>(rows: ProjectedRows<State, Change>): RowProjection {
  return { collection: rows.collection, open: (partition, setAside, cached) => new KeyedRows(rows, partition, setAside, cached) };
}

/** The projection of all of these kinds of rows; what is pointed to comes first. */
export function projectRows(...kinds: readonly RowProjection[]): Pick<Projection, 'collections' | 'open'> {
  return {
    collections: kinds.map(({ collection }) => collection),
    open: (partition, setAside, cachedAggregates) => {
      // The kinds share the memory of the partition.
      const cachedOfKind = Math.ceil(cachedAggregates / kinds.length);
      return new PartitionRows(kinds.map((kind) => ({ name: kind.collection.name, rows: kind.open(partition, setAside, cachedOfKind) })));
    },
  };
}

class PartitionRows implements PartitionProjection {
  constructor(private readonly kinds: readonly { readonly name: string; readonly rows: RowsOfKind }[]) {}

  take(commit: DecodedCommit, event: EventRecord): boolean {
    let taken = false;
    for (const { rows } of this.kinds) if (rows.take(commit, event)) taken = true;
    return taken;
  }

  missing(): RowKeys {
    return new Map(this.kinds.map(({ name, rows }) => [name, rows.missing()] as const).filter(([, keys]) => keys.length > 0));
  }

  project(loaded: LoadedRows): Projected {
    const projected = this.kinds.map(({ rows }) => rows.project(loaded));
    return { writes: projected.flatMap(({ writes }) => writes), setAside: projected.flatMap(({ setAside }) => setAside), postings: 0, busiest: undefined };
  }
}

interface Known<State> {
  readonly state: State | undefined;
  /** The commit that the row reflects; 0: there is no row. */
  readonly sequence: number;
}

interface Taken<Change> {
  readonly commit: DecodedCommit;
  readonly change: Change;
}

interface Touched<State, Change> {
  readonly taken: Taken<Change>[];
  /** What the cache had when the flush asked for missing rows: other keys of the flush may put it out of the cache. */
  known: Known<State> | undefined;
}

class KeyedRows<State, Change> implements RowsOfKind {
  private touched = new Map<string, Touched<State, Change>>();
  private readonly cache: RecentCache<Known<State>>;
  private readonly aside: SetAsideAggregates;

  constructor(
    private readonly rows: ProjectedRows<State, Change>,
    private readonly partition: number,
    setAside: readonly SetAside[],
    cachedAggregates: number,
  ) {
    this.cache = new RecentCache(cachedAggregates);
    this.aside = new SetAsideAggregates(rows.aggregate, partition, setAside);
  }

  take(commit: DecodedCommit, event: EventRecord): boolean {
    return this.rows.read(commit, event, (key, change) => {
      if (this.aside.skips(key, commit.sequence)) return;
      const touched = this.touched.get(key);
      if (touched === undefined) this.touched.set(key, { taken: [{ commit, change }], known: undefined });
      else touched.taken.push({ commit, change });
    });
  }

  missing(): string[] {
    const missing: string[] = [];
    for (const [key, touched] of this.touched) {
      touched.known ??= this.cache.get(key);
      if (touched.known === undefined) missing.push(key);
    }
    return missing;
  }

  project(loaded: LoadedRows): { readonly writes: RowWrite[]; readonly setAside: SetAside[] } {
    const writes: RowWrite[] = [];
    const setAside: SetAside[] = [];
    for (const [key, { taken, known = this.loaded(loaded, key) }] of this.touched) {
      const fresh = taken.filter(({ commit }) => commit.sequence > known.sequence);
      const newest = fresh.at(-1);
      if (newest === undefined) continue;
      try {
        let { state } = known;
        for (const { commit, change } of fresh) state = this.rows.evolve(state, change, commit);
        writes.push(this.write(key, state as State, newest.commit.sequence));
      } catch (error) {
        // From its first change of this flush on, so that the row stays as it was.
        this.cache.delete(key);
        setAside.push(this.aside.add(key, fresh[0]?.commit.sequence ?? newest.commit.sequence, error));
      }
    }
    this.touched = new Map();
    return { writes, setAside };
  }

  private write(key: string, state: State, sequence: number): RowWrite {
    const { collection } = this.rows;
    this.cache.set(key, { state, sequence });
    const row = { [collection.key]: key, ...this.rows.row(state, this.partition), [collection.guard as string]: sequence };
    return { kind: 'put', collection: collection.name, row };
  }

  private loaded(loaded: LoadedRows, key: string): Known<State> {
    const { collection } = this.rows;
    const row = loaded.get(collection.name)?.get(key);
    return row === undefined ? { state: undefined, sequence: 0 } : { state: this.rows.stateOf(row), sequence: row[collection.guard as string] as number };
  }
}
