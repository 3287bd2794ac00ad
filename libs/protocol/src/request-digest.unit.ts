import { fromBinary } from '@bufbuild/protobuf';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { type DescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import * as fc from 'fast-check';
import { fileDescriptors } from './descriptors';
import { accountpb } from './account';
import { canonicalBytes, requestDigest } from './request-digest';

const FREEZE = { requestId: 'r-1', accountId: 'alice', note: 'asked for' };
const NAME = 'sluice.account.v1.FreezeAccountRequest';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Digests that stand in logs must not change; neither must the bytes that they are taken from. */
test('bytes and digest of a request stay as they are', () => {
  expect(hex(canonicalBytes(accountpb.FreezeAccountRequest, FREEZE))).toBe('0a03722d311205616c6963651a0961736b656420666f72');
  expect(hex(requestDigest(NAME, accountpb.FreezeAccountRequest, FREEZE))).toBe('5ba56496c4eba9308c899c6779f83373');
  const posting = accountpb.Posting.fromPartial({ requestId: 'r', amountMinor: -1n, metadata: { b: '2', '10': 'x', a: '1', '9': 'y' } });
  expect(hex(requestDigest('sluice.account.v1.Posting', accountpb.Posting, posting))).toBe('35a5518aa975b209eac8d0719638bfc2');
});

test('another kind of request with the same fields has another digest', () => {
  expect(accountpb.UnfreezeAccountRequest.encode(FREEZE).finish()).toEqual(accountpb.FreezeAccountRequest.encode(FREEZE).finish());
  const unfreeze = requestDigest('sluice.account.v1.UnfreezeAccountRequest', accountpb.UnfreezeAccountRequest, FREEZE);
  expect(hex(unfreeze)).not.toBe(hex(requestDigest(NAME, accountpb.FreezeAccountRequest, FREEZE)));
});

const text = fc.string({ unit: 'grapheme', maxLength: 5 });
const postings = fc
  .record({
    requestId: text,
    accountId: text,
    type: fc.integer({ min: 0, max: 5 }),
    amountMinor: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
    final: fc.boolean(),
    metadata: fc.dictionary(fc.oneof(text, fc.nat(20).map(String)), text, { maxKeys: 5, noNullPrototype: true }),
    signature: fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
  })
  .map((posting) => accountpb.Posting.fromPartial(posting));

test('whatever order fields and entries of maps come in, and whatever is unknown among them: the bytes are the same', () => {
  fc.assert(
    fc.property(
      postings,
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 }),
      fc.boolean(),
      (posting, weights, withUnknown) => {
        const wire = accountpb.Posting.encode(posting).finish();
        const fields = fieldsOf(wire);
        if (withUnknown) fields.push(new BinaryWriter().tag(2_000, WireType.LengthDelimited).string('from tomorrow').finish());
        const shuffled = fields.map((bytes, at) => ({ bytes, weight: weights[at % weights.length] ?? 0 })).sort((left, right) => left.weight - right.weight);
        // A singular field that came before, with something else in it: the last one counts.
        const overwritten = new BinaryWriter().tag(1, WireType.LengthDelimited).string('overwritten').finish();
        const first = posting.requestId === '' ? [] : [overwritten];
        const received = accountpb.Posting.decode(Buffer.concat([...first, ...shuffled.map(({ bytes }) => bytes)]));
        expect(hex(canonicalBytes(accountpb.Posting, received))).toBe(hex(canonicalBytes(accountpb.Posting, posting)));
      },
    ),
  );
});

test('requests that differ have other bytes', () => {
  fc.assert(
    fc.property(postings, postings, (left, right) => {
      const same = JSON.stringify(plain(left)) === JSON.stringify(plain(right));
      expect(hex(canonicalBytes(accountpb.Posting, left)) === hex(canonicalBytes(accountpb.Posting, right))).toBe(same);
    }),
  );
});

test('a message is left as it was', () => {
  const posting = accountpb.Posting.fromPartial({ metadata: { b: '2', a: '1' } });
  canonicalBytes(accountpb.Posting, posting);
  expect(Object.keys(posting.metadata)).toEqual(['b', 'a']);
});

test('every message but those of queries, which are never recorded, declares its fields in the order of their numbers, in which they are encoded', () => {
  const files = fileDescriptors().map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
  const messages = files
    .filter((file) => file.package.startsWith('sluice.') && !file.name.endsWith('/query_service.proto'))
    .flatMap((file) => file.messageType.flatMap(withNested));
  expect(messages.length).toBeGreaterThan(20);
  for (const { name, field } of messages) {
    const numbers = field.map(({ number }) => number);
    expect([name, numbers]).toEqual([name, [...numbers].sort((left, right) => left - right)]);
  }
});

function withNested(message: DescriptorProto): DescriptorProto[] {
  return [message, ...message.nestedType.flatMap(withNested)];
}

function plain({ metadata, ...fields }: accountpb.Posting): unknown {
  const texts = Object.entries(fields).map(([name, value]) => [name, value instanceof Uint8Array ? hex(value) : String(value)]);
  return [texts, Object.entries(metadata).sort()];
}

/** The fields of an encoded message, each with its tag; entries of a map are fields of their own. */
function fieldsOf(wire: Uint8Array): Uint8Array[] {
  const reader = new BinaryReader(wire);
  const fields: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [number, type] = reader.tag();
    reader.skip(type, number);
    fields.push(wire.subarray(start, reader.pos));
  }
  return fields;
}
