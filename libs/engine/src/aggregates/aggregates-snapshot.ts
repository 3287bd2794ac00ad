/**
 * Snapshot of all kinds of aggregates of a capability, one kind after the other.
 *
 *   block:  length of the kind's name (1 byte) | name | version of the records | records
 */
import { ByteReader, ByteWriter } from '@sluice/protocol';
import type { SnapshotSession } from '../capability';
import type { AggregateKind } from './aggregate-kind';

interface KindSession {
  readonly head: Uint8Array;
  readonly blocks: SnapshotSession;
}

export class AggregatesSnapshot implements SnapshotSession {
  private readonly sessions: readonly KindSession[];
  private at = 0;

  constructor(kinds: readonly AggregateKind[]) {
    this.sessions = kinds.map(({ definition, store }) => ({
      head: headOf(definition.aggregate, definition.record.version),
      blocks: store.beginSnapshot(),
    }));
  }

  next(): Uint8Array | undefined {
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

/** Gives the records of a block to the aggregates of their kind. */
export function restoreBlock(block: Uint8Array, kindOf: (aggregate: string) => AggregateKind): void {
  const reader = new ByteReader(block, 0, block.length);
  const aggregate = reader.string();
  const version = reader.varint();
  kindOf(aggregate).store.restore(block.subarray(reader.at), version);
}

function headOf(aggregate: string, version: number): Uint8Array {
  const writer = new ByteWriter(64);
  const name = Buffer.from(aggregate, 'utf8');
  writer.reserve(20 + name.length);
  writer.varint(name.length);
  writer.raw(name, 0, name.length);
  writer.varint(version);
  return writer.copy();
}
