/**
 * The open holds of an account as one field of a row: count, then id and remaining amount of each, oldest first; behind them the count of those
 * that expire, with id and time of each.
 */
import { ByteReader, ByteWriter } from '@sluice/protocol';

export function encodeHolds(holds: ReadonlyMap<string, bigint>, expiries: ReadonlyMap<string, number>): Uint8Array {
  const writer = new ByteWriter(24 + (holds.size + expiries.size) * 48);
  writer.reserve(8);
  writer.varint(holds.size);
  for (const [holdId, remainingMinor] of holds) {
    writeId(writer, holdId);
    writer.reserve(12);
    writer.varint64(Number(BigInt.asIntN(32, remainingMinor)), Number(BigInt.asIntN(32, remainingMinor >> 32n)));
  }
  writer.reserve(8);
  writer.varint(expiries.size);
  for (const [holdId, expiresAtUs] of expiries) {
    writeId(writer, holdId);
    writer.reserve(12);
    writer.varint(expiresAtUs);
  }
  return writer.copy();
}

function writeId(writer: ByteWriter, holdId: string): void {
  const id = Buffer.from(holdId, 'utf8');
  writer.reserve(8);
  writer.varint(id.length);
  writer.raw(id, 0, id.length);
}

export interface HoldList {
  /** Hold id to what is left of it. */
  readonly holds: Map<string, bigint>;
  /** Hold id to when it expires, microseconds. */
  readonly expiries: Map<string, number>;
}

export function decodeHolds(bytes: Uint8Array): HoldList {
  const reader = new ByteReader(bytes, 0, bytes.length);
  const holds = new Map<string, bigint>();
  const expiries = new Map<string, number>();
  for (let rest = reader.varint(); rest > 0; rest -= 1) {
    const holdId = reader.string();
    holds.set(holdId, reader.int64());
  }
  for (let rest = reader.varint(); rest > 0; rest -= 1) {
    const holdId = reader.string();
    expiries.set(holdId, reader.varint());
  }
  return { holds, expiries };
}
