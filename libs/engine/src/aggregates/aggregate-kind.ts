/** The aggregates of one kind in one partition: their states in the packed table, each with the newest commit in which something of it was decided. */
import type { ByteReader, ByteWriter } from '@sluice/protocol';
import { keyedHash, type HashSeeds } from '../request-index/request-hash';
import type { AnyAggregate } from './aggregate-definition';
import { PackedTable, type RecordCodec } from './packed-table';

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

class AggregateCodec implements RecordCodec<Aggregate> {
  readonly version: number;

  constructor(private readonly definition: AnyAggregate) {
    this.version = definition.record.version;
  }

  pack(writer: ByteWriter, { state, sequence }: Aggregate): void {
    const bytes = this.definition.record.encode(state);
    writer.reserve(10 + bytes.length);
    writer.varint(sequence);
    writer.raw(bytes, 0, bytes.length);
  }

  unpack(key: string, body: ByteReader, version: number): Aggregate {
    const sequence = body.varint();
    const state = this.definition.record.decode(body.bytes.subarray(body.at, body.end), version, key);
    return { key, state, sequence, previous: 0 };
  }

  takeBack(aggregate: Aggregate, { state, sequence }: Aggregate): void {
    Object.assign(aggregate, { state, sequence, previous: 0 });
  }
}

export class AggregateKind {
  readonly table: PackedTable<Aggregate>;

  constructor(
    readonly definition: AnyAggregate,
    seeds: HashSeeds,
  ) {
    this.table = new PackedTable(`${definition.capability} (${definition.aggregate})`, seeds, new AggregateCodec(definition));
  }

  /** Undefined: nothing of it is recorded. */
  find(key: AggregateKey): Aggregate | undefined {
    const ordinal = this.ordinalOf(key);
    return ordinal === -1 ? undefined : this.table.at(ordinal);
  }

  stateOf(key: AggregateKey): unknown {
    const found = this.find(key);
    return found === undefined ? this.definition.initialState(key.text) : found.state;
  }

  /** The aggregate as it changes in the commit: made if there is none. `previous` is right from here to the end of the commit. */
  changedIn(sequence: number, key: AggregateKey): Aggregate {
    const ordinal = this.ordinalOf(key);
    const aggregate = this.table.touch(ordinal === -1 ? this.made(key) : ordinal);
    if (aggregate.sequence !== sequence) {
      aggregate.previous = aggregate.sequence;
      aggregate.sequence = sequence;
    }
    return aggregate;
  }

  private made({ text, bytes }: AggregateKey): number {
    return this.table.addUnder(bytes, () => ({ key: text, state: this.definition.initialState(text), sequence: 0, previous: 0 }));
  }

  private ordinalOf({ hash, bytes }: AggregateKey): number {
    return this.table.find(hash, bytes, 0, bytes.length);
  }
}
