/**
 * Snapshot of all kinds of aggregates of a capability, one kind after the other.
 *
 *   block:    length of the kind's name (1 byte) | name | version of the records | records
 *   totals:   0 | length of a kind's name | name | its total and one more; 0: it is not known | …
 *
 * The block of the totals comes first, where a kind has one. A snapshot of version 1 has none.
 */
import { ByteReader, ByteWriter } from '@sluice/protocol';
import type { SnapshotSession } from '../capability';
import type { AggregateKind } from './aggregate-kind';

/** Of blocks that have no totals, and of those that may have. */
export const PLAIN_BLOCKS_VERSION = 1;
export const BLOCKS_WITH_TOTALS_VERSION = 2;

interface KindSession {
  readonly head: Uint8Array;
  readonly blocks: SnapshotSession;
}

export class AggregatesSnapshot implements SnapshotSession {
  private readonly sessions: readonly KindSession[];
  private totals: Uint8Array | undefined;
  private at = 0;

  constructor(kinds: readonly AggregateKind[]) {
    this.totals = totalsOf(kinds);
    this.sessions = kinds.map(({ definition, store }) => ({
      head: headOf(definition.aggregate, definition.record.version),
      blocks: store.beginSnapshot(),
    }));
  }

  next(): Uint8Array | undefined {
    const { totals } = this;
    this.totals = undefined;
    if (totals !== undefined) return totals;
    for (; this.at < this.sessions.length; this.at += 1) {
      const { head, blocks } = this.sessions[this.at] as KindSession;
      const records = blocks.next();
      if (records !== undefined) return Buffer.concat([head, records]);
    }
    return undefined;
  }

  end(durable: boolean): void {
    for (const { blocks } of this.sessions) blocks.end(durable);
  }
}

/** Gives the records of a block to the aggregates of their kind, or the kinds their totals. @param version of the snapshot's blocks. */
export function restoreBlock(block: Uint8Array, version: number, kindOf: (aggregate: string) => AggregateKind): void {
  const reader = new ByteReader(block, 0, block.length);
  const aggregate = reader.string();
  if (aggregate === '') {
    while (!reader.done) restoreTotal(kindOf(reader.string()), reader.varint());
    return;
  }
  const kind = kindOf(aggregate);
  const recordVersion = reader.varint();
  if (version < BLOCKS_WITH_TOTALS_VERSION) kind.total = undefined;
  kind.store.restore(block.subarray(reader.at), recordVersion);
}

function restoreTotal(kind: AggregateKind, oneMore: number): void {
  kind.total = oneMore === 0 ? undefined : oneMore - 1;
}

/** Undefined: no kind has one. */
function totalsOf(kinds: readonly AggregateKind[]): Uint8Array | undefined {
  const withTotal = kinds.filter(({ definition }) => definition.total !== undefined);
  if (withTotal.length === 0) return undefined;
  const writer = new ByteWriter(64);
  writer.reserve(1);
  writer.varint(0);
  for (const { definition, total } of withTotal) {
    writeName(writer, definition.aggregate);
    writer.varint(total === undefined ? 0 : total + 1);
  }
  return writer.copy();
}

function headOf(aggregate: string, version: number): Uint8Array {
  const writer = new ByteWriter(64);
  writeName(writer, aggregate);
  writer.varint(version);
  return writer.copy();
}

/** With room for a number behind it. */
function writeName(writer: ByteWriter, aggregate: string): void {
  const name = Buffer.from(aggregate, 'utf8');
  writer.reserve(20 + name.length);
  writer.varint(name.length);
  writer.raw(name, 0, name.length);
}
