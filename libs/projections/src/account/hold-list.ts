/** The open holds of an account as one field of a row: count, then id and remaining amount of each, oldest first. */
import { ByteReader, ByteWriter } from '@sluice/protocol';

export function encodeHolds(holds: ReadonlyMap<string, bigint>): Uint8Array {
  const writer = new ByteWriter(16 + holds.size * 48);
  writer.reserve(8);
  writer.varint(holds.size);
  for (const [holdId, remainingMinor] of holds) {
    const id = Buffer.from(holdId, 'utf8');
    writer.reserve(8);
    writer.varint(id.length);
    writer.raw(id, 0, id.length);
    writer.reserve(12);
    writer.varint64(Number(BigInt.asIntN(32, remainingMinor)), Number(BigInt.asIntN(32, remainingMinor >> 32n)));
  }
  return writer.copy();
}

export function decodeHolds(bytes: Uint8Array): Map<string, bigint> {
  const reader = new ByteReader(bytes, 0, bytes.length);
  const holds = new Map<string, bigint>();
  for (let rest = reader.varint(); rest > 0; rest -= 1) {
    const holdId = reader.string();
    holds.set(holdId, reader.int64());
  }
  return holds;
}
