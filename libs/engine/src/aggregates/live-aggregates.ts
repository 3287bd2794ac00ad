/**
 * Aggregates whose states stay in memory as they are: few and large ones, like queues. A snapshot takes one after the other, each in steps.
 *
 *   block:  length of the key (varint) | key | sequence of its newest commit | block of the state; empty where the state has none
 */
import { ByteReader, ByteWriter } from '@sluice/protocol';
import type { SnapshotSession } from '../capability';
import type { AnyAggregate, StateSteps } from './aggregate-definition';
import type { Aggregate, AggregateKey, AggregateStore } from './aggregate-kind';

export class LiveAggregates implements AggregateStore {
  private readonly aggregates = new Map<string, Aggregate>();

  constructor(
    private readonly definition: AnyAggregate,
    private readonly steps: StateSteps<unknown>,
  ) {}

  find({ text }: AggregateKey): Aggregate | undefined {
    return this.aggregates.get(text);
  }

  touch({ text }: AggregateKey): Aggregate {
    let aggregate = this.aggregates.get(text);
    if (aggregate === undefined) {
      aggregate = { key: text, state: this.definition.initialState(text), sequence: 0, previous: 0 };
      this.aggregates.set(text, aggregate);
    }
    return aggregate;
  }

  beginSnapshot(): SnapshotSession {
    return new LiveSnapshot(
      [...this.aggregates.values()].map(({ key, sequence, state }) => ({ key, sequence, blocks: this.steps.beginSnapshot(state), isBegun: false })),
    );
  }

  restore(block: Uint8Array, version: number): void {
    const reader = new ByteReader(block, 0, block.length);
    const key = reader.string();
    const sequence = reader.varint();
    const aggregate = this.touch({ text: key, bytes: block, hash: 0 });
    aggregate.sequence = sequence;
    if (!reader.done) this.steps.restore(aggregate.state, block.subarray(reader.at), version);
  }
}

interface AggregateSession {
  readonly key: string;
  readonly sequence: number;
  readonly blocks: SnapshotSession;
  /** A block was made: the aggregate is in the snapshot. */
  isBegun: boolean;
}

class LiveSnapshot implements SnapshotSession {
  private at = 0;

  constructor(private readonly sessions: readonly AggregateSession[]) {}

  next(): Uint8Array | undefined {
    for (; this.at < this.sessions.length; this.at += 1) {
      const session = this.sessions[this.at] as AggregateSession;
      const block = session.blocks.next();
      if (block === undefined && session.isBegun) continue;
      session.isBegun = true;
      return Buffer.concat([headOf(session), block ?? new Uint8Array(0)]);
    }
    return undefined;
  }

  end(durable: boolean): void {
    for (const { blocks } of this.sessions) blocks.end(durable);
  }
}

function headOf({ key, sequence }: AggregateSession): Uint8Array {
  const writer = new ByteWriter(64);
  const bytes = Buffer.from(key, 'utf8');
  writer.reserve(20 + bytes.length);
  writer.varint(bytes.length);
  writer.raw(bytes, 0, bytes.length);
  writer.varint(sequence);
  return writer.copy();
}
