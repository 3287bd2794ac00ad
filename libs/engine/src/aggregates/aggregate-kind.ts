/** The aggregates of one kind in one partition, each with the newest commit in which something of it was decided. */
import type { SnapshotSession } from '../capability';
import { keyedHash, type HashSeeds } from '../request-index/request-hash';
import type { AnyAggregate, CommitPlace } from './aggregate-definition';
import { LiveAggregates } from './live-aggregates';
import { PackedAggregates } from './packed-aggregates';

export interface Aggregate {
  readonly key: string;
  state: unknown;
  /** Sequence of the newest commit of this aggregate; it may be on its way to the log still. */
  sequence: number;
  /** Of the commit of this aggregate before that one; unknown (0) once the aggregate was packed. */
  previous: number;
}

/** The key of an aggregate in the forms in which it is looked for. */
export interface AggregateKey {
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly hash: number;
}

export function aggregateKey(seeds: HashSeeds, text: string): AggregateKey {
  const bytes = Buffer.from(text, 'utf8');
  return { text, bytes, hash: keyedHash(seeds, bytes, 0, bytes.length) };
}

/** Where the aggregates of a kind are: packed, or as they are. */
export interface AggregateStore {
  /** To be read. Undefined: nothing of it is recorded. */
  find(key: AggregateKey): Aggregate | undefined;
  /** To be changed; made if there is none. */
  touch(key: AggregateKey): Aggregate;
  beginSnapshot(): SnapshotSession;
  restore(block: Uint8Array, version: number): void;
}

export class AggregateKind {
  readonly store: AggregateStore;
  /** Sum over all aggregates; undefined: the kind was restored from a snapshot that does not say it. */
  total: number | undefined = 0;

  constructor(
    readonly definition: AnyAggregate,
    seeds: HashSeeds,
  ) {
    const { record } = definition;
    this.store = 'encode' in record ? new PackedAggregates(definition, record, seeds) : new LiveAggregates(definition, record);
  }

  stateOf(key: AggregateKey): unknown {
    const found = this.store.find(key);
    return found === undefined ? this.definition.initialState(key.text) : found.state;
  }

  /** Changes the aggregate by the event. */
  evolve(aggregate: Aggregate, event: unknown, place: CommitPlace): void {
    const { definition } = this;
    const before = definition.total?.(aggregate.state) ?? 0;
    aggregate.state = definition.evolve(aggregate.state, event, place);
    if (definition.total !== undefined && this.total !== undefined) this.total += definition.total(aggregate.state) - before;
  }

  /** The aggregate as it changes in the commit. `previous` is right from here to the end of the commit. */
  changedIn(sequence: number, key: AggregateKey): Aggregate {
    const aggregate = this.store.touch(key);
    if (aggregate.sequence !== sequence) {
      aggregate.previous = aggregate.sequence;
      aggregate.sequence = sequence;
    }
    return aggregate;
  }
}
