/** The events of owed deliveries, written and read by hand: the generated codec is the oracle. */
import * as fc from 'fast-check';
import { DeliveriesOwed } from '../generated/sluice/log/v1/deliveries';
import { MalformedMessageError } from '../wire/byte-reader';
import { OwedDeliveriesWriter, owedCommands, readOwedDeliveries } from './owed-deliveries';

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const payload = fc.uint8Array({ maxLength: 300 });
/** Of many commands the same. */
const key = fc.oneof(text, fc.constantFrom('hot', 'ü'.repeat(100)));
const command = fc.record({ key, payload, owedByKey: key });
const event = fc.record({
  kind: fc.record({ target: fc.nat(), owedBy: text, capability: text, method: text }),
  firstNumber: fc.oneof(fc.constantFrom(0, 1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER), fc.maxSafeNat()),
  commands: fc.array(command, { maxLength: 20 }),
});

function written({ kind, firstNumber, commands }: typeof event extends fc.Arbitrary<infer Event> ? Event : never) {
  const writer = new OwedDeliveriesWriter(kind, firstNumber);
  for (const { key, payload: body, owedByKey } of commands) writer.add(key, body, owedByKey);
  return writer.finish();
}

const asProto = ({ payload: body, ...rest }: { key: string; payload: Uint8Array; owedByKey: string }) => ({ ...rest, payload: Buffer.from(body) });
const plain = (commands: Iterable<{ key: string; payload: Uint8Array; owedByKey: string }>) =>
  [...commands].map(({ key, payload: body, owedByKey }) => ({ key, payload: Buffer.from(body).toString('hex'), owedByKey }));

test('the generated codec reads what is written by hand', () => {
  fc.assert(
    fc.property(event, (given) => {
      const { commands, firstNumber, ...kind } = DeliveriesOwed.decode(written(given).bytes);
      expect(kind).toEqual(given.kind);
      expect(firstNumber).toBe(BigInt(given.firstNumber));
      expect(plain(commands)).toEqual(plain(given.commands));
    }),
  );
});

test('what the generated codec writes is read by hand, from any position on', () => {
  fc.assert(
    fc.property(event, fc.nat(20), (given, position) => {
      const bytes = DeliveriesOwed.encode(
        DeliveriesOwed.fromPartial({ ...given.kind, firstNumber: BigInt(given.firstNumber), commands: given.commands.map(asProto) }),
      ).finish();
      const read = readOwedDeliveries(bytes);
      expect(read).toMatchObject({ ...given.kind, firstNumber: given.firstNumber, count: given.commands.length });
      expect(plain(owedCommands(read, position))).toEqual(plain(given.commands.slice(position)));
    }),
  );
});

test('cut bytes are malformed or shorter, and never read beyond their end', () => {
  fc.assert(
    fc.property(event, fc.nat(), (given, cut) => {
      const { bytes } = written(given);
      const shorter = bytes.subarray(0, cut % (bytes.length + 1));
      try {
        expect([...owedCommands(readOwedDeliveries(shorter))].length).toBeLessThanOrEqual(given.commands.length);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedMessageError);
      }
    }),
  );
});
