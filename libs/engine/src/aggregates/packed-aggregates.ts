/** Aggregates in the packed table: many of them, most of them cold. */
import type { ByteReader, ByteWriter } from '@sluice/protocol';
import type { SnapshotSession } from '../capability';
import type { HashSeeds } from '../request-index/request-hash';
import type { AnyAggregate, StateCodec } from './aggregate-definition';
import type { Aggregate, AggregateKey, AggregateStore } from './aggregate-kind';
import { PackedTable, type RecordCodec } from './packed-table';

/** sequence | state */
class AggregateCodec implements RecordCodec<Aggregate> {
  readonly version: number;

  constructor(private readonly codec: StateCodec<unknown>) {
    this.version = codec.version;
  }

  pack(writer: ByteWriter, { state, sequence }: Aggregate): void {
    const bytes = this.codec.encode(state);
    writer.reserve(10 + bytes.length);
    writer.varint(sequence);
    writer.raw(bytes, 0, bytes.length);
  }

  unpack(key: string, body: ByteReader, version: number): Aggregate {
    const sequence = body.varint();
    const state = this.codec.decode(body.bytes.subarray(body.at, body.end), version, key);
    return { key, state, sequence, previous: 0 };
  }

  takeBack(aggregate: Aggregate, { state, sequence }: Aggregate): void {
    Object.assign(aggregate, { state, sequence, previous: 0 });
  }
}

export class PackedAggregates implements AggregateStore {
  private readonly table: PackedTable<Aggregate>;

  constructor(
    private readonly definition: AnyAggregate,
    codec: StateCodec<unknown>,
    seeds: HashSeeds,
  ) {
    this.table = new PackedTable(`${definition.capability} (${definition.aggregate})`, seeds, new AggregateCodec(codec));
  }

  find(key: AggregateKey): Aggregate | undefined {
    const ordinal = this.ordinalOf(key);
    return ordinal === -1 ? undefined : this.table.at(ordinal);
  }

  touch(key: AggregateKey): Aggregate {
    const ordinal = this.ordinalOf(key);
    return this.table.touch(ordinal === -1 ? this.made(key) : ordinal);
  }

  beginSnapshot(): SnapshotSession {
    return this.table.beginSnapshot();
  }

  restore(block: Uint8Array, version: number): void {
    this.table.restore(block, version);
  }

  private made({ text, bytes }: AggregateKey): number {
    return this.table.addUnder(bytes, () => ({ key: text, state: this.definition.initialState(text), sequence: 0, previous: 0 }));
  }

  private ordinalOf({ hash, bytes }: AggregateKey): number {
    return this.table.find(hash, bytes, 0, bytes.length);
  }
}
