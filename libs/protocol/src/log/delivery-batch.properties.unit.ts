/** Batches of deliveries, written and read by hand: the generated codec is the oracle. */
import * as fc from 'fast-check';
import { DeliveryBatch } from '../generated/sluice/log/v1/deliveries';
import { encodeDeliveryBatch, readDeliveryBatch, type DeliveryBatchHeader } from './delivery-batch';
import { OwedDeliveriesWriter, owedCommands } from './owed-deliveries';

const number = fc.oneof(fc.constantFrom(0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER), fc.maxSafeNat());
const anchor = fc.record({ sequence: number, checksum: fc.uint8Array({ minLength: 32, maxLength: 32 }) });
const header: fc.Arbitrary<DeliveryBatchHeader> = fc.record({
  incarnation: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  source: fc.nat(),
  target: fc.nat(),
  recordedThrough: number,
  lowestDead: number,
  dead: fc.array(number, { maxLength: 5 }),
  redriven: number,
  anchor: fc.option(
    anchor.map(({ sequence, checksum }) => ({ sequence: BigInt(sequence), checksum: Buffer.from(checksum) })),
    { nil: undefined },
  ),
});
const keys = fc.array(fc.array(fc.string({ maxLength: 10 }), { maxLength: 5 }), { maxLength: 4 });

function events(given: string[][]): Uint8Array[] {
  return given.map((ofEvent, at) => {
    const writer = new OwedDeliveriesWriter({ target: 1, owedBy: 'one', capability: 'other', method: 'Do' }, at * 10 + 1);
    for (const key of ofEvent) writer.add(key, Buffer.from(key), 'owner');
    return writer.finish().bytes;
  });
}

test('the generated codec reads what is written by hand, and writes what is read by hand', () => {
  fc.assert(
    fc.property(header, keys, (given, ofEvents) => {
      const bytes = encodeDeliveryBatch(given, events(ofEvents));
      const decoded = DeliveryBatch.decode(bytes);
      expect(decoded).toMatchObject({
        incarnation: Buffer.from(given.incarnation),
        source: given.source,
        target: given.target,
        recordedThrough: BigInt(given.recordedThrough),
        lowestDeadNumber: BigInt(given.lowestDead),
        deadNumbers: given.dead.map(BigInt),
        redrivenNumber: BigInt(given.redriven),
        anchor: given.anchor,
      });
      expect(decoded.owed.map(({ commands }) => commands.map(({ key }) => key))).toEqual(ofEvents);
      const { owed, ...read } = readDeliveryBatch(DeliveryBatch.encode(decoded).finish());
      expect({ ...read, incarnation: Buffer.from(read.incarnation) }).toEqual({ ...given, incarnation: Buffer.from(given.incarnation) });
      expect(owed.map((event) => [...owedCommands(event)].map(({ key }) => key))).toEqual(ofEvents);
      expect(owed.map(({ firstNumber }) => firstNumber)).toEqual(ofEvents.map((_, at) => at * 10 + 1));
    }),
  );
});
