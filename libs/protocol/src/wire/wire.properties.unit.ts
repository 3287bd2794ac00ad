/** The hand-made wire code against protobuf's own, where numbers are at their ends. */
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import * as fc from 'fast-check';
import { ByteReader, MalformedMessageError } from './byte-reader';
import { ByteWriter } from './byte-writer';

const EXTREMES = [
  0n,
  1n,
  -1n,
  127n,
  128n,
  -128n,
  0x7fff_ffffn,
  0x8000_0000n,
  -0x8000_0000n,
  0xffff_ffffn,
  1n << 32n,
  -(1n << 32n),
  (1n << 53n) + 1n,
  (1n << 63n) - 1n,
  -(1n << 63n),
];
const int64 = fc.oneof(fc.constantFrom(...EXTREMES), fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }));
const safe = fc.oneof(fc.constantFrom(0, 1, 127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER), fc.maxSafeNat());

const split = new BigInt64Array(1);
const halves = new Int32Array(split.buffer);

function written(write: (writer: ByteWriter) => void): Buffer {
  const writer = new ByteWriter(16);
  write(writer);
  return writer.copy();
}

test('a varint of halves is an int64, there and back', () => {
  fc.assert(
    fc.property(int64, (value) => {
      split[0] = value;
      const bytes = written((writer) => writer.varint64(halves[0] as number, halves[1] as number));
      expect(bytes).toEqual(Buffer.from(new BinaryWriter().int64(value).finish()));
      expect(new ByteReader(bytes, 0, bytes.length).int64()).toBe(value);
    }),
  );
});

test('zigzag of halves is a sint64, there and back', () => {
  fc.assert(
    fc.property(int64, (value) => {
      split[0] = value;
      const bytes = written((writer) => writer.zigzag64(halves[0] as number, halves[1] as number));
      expect(bytes).toEqual(Buffer.from(new BinaryWriter().sint64(value).finish()));
      expect(new ByteReader(bytes, 0, bytes.length).sint64()).toBe(value);
    }),
  );
});

test('a varint of a safe integer comes back', () => {
  fc.assert(
    fc.property(safe, (value) => {
      const bytes = written((writer) => {
        writer.reserve(10);
        writer.varint(value);
      });
      expect(bytes).toEqual(Buffer.from(new BinaryWriter().uint64(value).finish()));
      expect(new ByteReader(bytes, 0, bytes.length).varint()).toBe(value);
    }),
  );
});

test('a writer that grows keeps what it has, and nested messages get their length', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ text: fc.string({ unit: 'grapheme' }), number: int64, bytes: fc.uint8Array({ maxLength: 200 }) })), (items) => {
      const bytes = written((writer) => {
        for (const { text, number, bytes: raw } of items) {
          const item = writer.open(0x0a);
          writer.stringField(0x0a, text);
          writer.sint64Field(0x10, number);
          writer.bytesField(0x1a, raw);
          writer.close(item);
        }
      });
      const reader = new BinaryReader(bytes);
      for (const { text, number, bytes: raw } of items) {
        expect(reader.uint32()).toBe(0x0a);
        const end = reader.uint32() + reader.pos;
        const found: unknown[] = ['', 0n];
        while (reader.pos < end) {
          const tag = reader.uint32();
          if (tag === 0x0a) found[0] = reader.string();
          else if (tag === 0x10) found[1] = BigInt(reader.sint64());
          else found[2] = Buffer.from(reader.bytes());
        }
        expect(found).toEqual([text, number, Buffer.from(raw)]);
      }
      expect(reader.pos).toBe(bytes.length);
    }),
    { numRuns: 60 },
  );
});

test('reading any bytes as fields ends, or says that they are no message', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const reader = new ByteReader(bytes, 0, bytes.length);
      try {
        while (!reader.done) reader.skip(reader.varint() & 7);
        expect(reader.at).toBe(bytes.length);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedMessageError);
      }
    }),
    { numRuns: 500 },
  );
});

test('what BinaryReader skips is skipped to the same place', () => {
  const field = fc.oneof(
    fc.tuple(fc.constant(0), int64).map(
      ([, value]) =>
        (writer: BinaryWriter) =>
          writer.uint32((9 << 3) | 0).int64(value),
    ),
    int64.map((value) => (writer: BinaryWriter) => writer.uint32((9 << 3) | 1).sfixed64(value)),
    fc.uint8Array({ maxLength: 300 }).map((value) => (writer: BinaryWriter) => writer.uint32((300 << 3) | 2).bytes(value)),
    fc.integer().map((value) => (writer: BinaryWriter) => writer.uint32((9 << 3) | 5).sfixed32(value)),
  );
  fc.assert(
    fc.property(fc.array(field, { minLength: 1, maxLength: 10 }), (fields) => {
      const writer = new BinaryWriter();
      for (const write of fields) write(writer);
      const bytes = writer.finish();
      const ours = new ByteReader(bytes, 0, bytes.length);
      const theirs = new BinaryReader(bytes);
      while (!ours.done) {
        ours.skip(ours.varint() & 7);
        theirs.skip(theirs.uint32() & 7);
        expect(ours.at).toBe(theirs.pos);
      }
    }),
    { numRuns: 200 },
  );
});

test('a nested message that is closed short has the bytes that protobuf writes', () => {
  fc.assert(
    fc.property(fc.oneof(fc.nat({ max: 300 }), fc.constantFrom(127, 128, 16_383, 16_384, 70_000)), fc.nat({ max: 5 }), (inner, before) => {
      const content = Buffer.alloc(inner, 7);
      const bytes = written((writer) => {
        writer.raw(Buffer.alloc(before, 9), 0, before);
        const outer = writer.openShort(0x0a);
        writer.bytesField(0x12, content);
        writer.closeShort(outer);
        writer.bytesField(0x1a, content);
      });
      const expected = new BinaryWriter().raw(Buffer.alloc(before, 9)).uint32(0x0a).fork().uint32(0x12).bytes(content).join().uint32(0x1a).bytes(content);
      expect(Buffer.compare(bytes, expected.finish())).toBe(0);
    }),
  );
});
