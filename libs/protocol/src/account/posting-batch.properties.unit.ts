/**
 * The hand-made decoder of postings against the generated one: what the scan finds nothing wrong with, both read alike. One of them decides
 * and the other checks repeats and is used by every reader of the log, so a difference would be a way around the checks.
 */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import * as fc from 'fast-check';
import { Posting, type PostingType } from '../generated/sluice/account/v1/account';
import { PostBatchRequest } from '../generated/sluice/account/v1/command_service';
import { MalformedMessageError } from '../wire/byte-reader';
import {
  FINAL_FLAG,
  HOLD_ID_LENGTH_AND_FLAGS,
  type PostingBatch,
  SIGNED_FLAG,
  scanPostingMessages,
  scanPostings,
  scanRecordedPostings,
  STRIDE,
  TYPE,
  UNIT_AT,
  UNIT_LENGTH,
} from './posting-batch';

const UNKNOWN_TYPE = 'unknown type';
const OF_THE_LOG = 'to_account_id, from_account_id, hold_expired, funds, to_capability, order and interest stand in the log only';

class Issues {
  readonly found = new Map<number, string>();
  invalid = (_batch: PostingBatch, index: number, message: string): void => void this.found.set(index, message);
  unknownType = (_batch: PostingBatch, index: number): void => void this.found.set(index, UNKNOWN_TYPE);
}

const INT64_ENDS = [0n, 1n, -1n, (1n << 31n) - 1n, 1n << 31n, 1n << 32n, -(1n << 31n), (1n << 63n) - 1n, -(1n << 63n)];
const int64 = fc.oneof(fc.constantFrom(...INT64_ENDS), fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }));

function text(maximumBytes: number, minLength = 0): fc.Arbitrary<string> {
  const unit = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom('a', '7', '-', '{', '}') },
    { weight: 1, arbitrary: fc.constantFrom('é', '語', '\u{1F600}', '\u0000', '\uFEFF') },
  );
  return fc.string({ unit, minLength, maxLength: maximumBytes }).filter((value) => Buffer.byteLength(value) <= maximumBytes && value.length >= minLength);
}

const wellFormed: fc.Arbitrary<Posting> = fc
  .record({
    requestId: text(128, 1),
    accountId: text(128, 1),
    type: fc.integer({ min: 1, max: 5 }),
    amountMinor: int64,
    unit: text(16, 1),
    holdId: text(128, 1),
    final: fc.boolean(),
    counterparty: text(128),
    channel: text(64),
    initiatedDate: fc.constantFrom('', '2024-02-29', '1999-12-31'),
    metadata: fc.dictionary(text(20), text(300), { maxKeys: 3 }).map((pairs) => ({ ...pairs })),
    signature: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    signedAtUs: int64,
    toAccountId: fc.constant(''),
    fromAccountId: fc.constant(''),
    expiresAtUs: fc.constant(0n),
    expiresAfterMs: fc.constant(0n),
    holdExpired: fc.constant(false),
    funds: fc.constant(false),
    toCapability: fc.constant(''),
    order: fc.constant(Buffer.alloc(0)),
    interest: fc.constant(false),
  })
  // What has no meaning for the type is refused.
  .map((posting) => ({ ...posting, holdId: posting.type >= 4 ? posting.holdId : '', final: posting.type === 4 && posting.final }))
  .filter(({ metadata }) => Object.entries(metadata).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value) + 8, 0) < 1024);

type Write = (writer: BinaryWriter) => unknown;

/** The fields of a posting as writes of their own, to be put into any order. */
function writes(posting: Posting): Write[] {
  const texts: [number, string][] = [
    [1, posting.requestId],
    [2, posting.accountId],
    [5, posting.unit],
    [6, posting.holdId],
    [8, posting.counterparty],
    [9, posting.channel],
    [10, posting.initiatedDate],
  ];
  return [
    ...texts.map(
      ([field, value]): Write =>
        (writer) =>
          writer.tag(field, WireType.LengthDelimited).string(value),
    ),
    (writer) => writer.tag(3, WireType.Varint).int32(posting.type),
    (writer) => writer.tag(4, WireType.Varint).int64(posting.amountMinor),
    (writer) => writer.tag(7, WireType.Varint).bool(posting.final),
    (writer) => writer.tag(12, WireType.LengthDelimited).bytes(posting.signature),
    (writer) => writer.tag(13, WireType.Varint).int64(posting.signedAtUs),
    ...Object.entries(posting.metadata).map(
      ([key, value]): Write =>
        (writer) =>
          writer.tag(11, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).string(key).tag(2, WireType.LengthDelimited).string(value).join(),
    ),
  ];
}

/** Fields that this version does not know, and fields that it knows with a wire type that they do not have. */
const unknownField: fc.Arbitrary<Write> = fc.oneof(
  fc.tuple(fc.integer({ min: 23, max: 3000 }), int64).map(
    ([field, value]): Write =>
      (writer) =>
        writer.tag(field, WireType.Varint).int64(value),
  ),
  fc.tuple(fc.integer({ min: 22, max: 3000 }), fc.uint8Array({ maxLength: 60 })).map(
    ([field, value]): Write =>
      (writer) =>
        writer.tag(field, WireType.LengthDelimited).bytes(value),
  ),
  fc.tuple(fc.integer({ min: 1, max: 40 }), int64).map(
    ([field, value]): Write =>
      (writer) =>
        writer.tag(field, WireType.Bit64).sfixed64(value),
  ),
  fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer()).map(
    ([field, value]): Write =>
      (writer) =>
        writer.tag(field, WireType.Bit32).sfixed32(value),
  ),
  fc.tuple(fc.constantFrom(1, 2, 5, 6, 8, 9, 10, 11, 12), fc.integer()).map(
    ([field, value]): Write =>
      (writer) =>
        writer.tag(field, WireType.Varint).int32(value),
  ),
);

const encodedPosting: fc.Arbitrary<Uint8Array> = fc
  .tuple(wellFormed, fc.array(unknownField, { maxLength: 3 }))
  .chain(([posting, unknown]) => fc.shuffledSubarray([...writes(posting), ...unknown], { minLength: writes(posting).length + unknown.length }))
  .map((fields) => {
    const writer = new BinaryWriter();
    for (const write of fields) write(writer);
    return writer.finish();
  });

function request(bodies: readonly Uint8Array[], atomic = false): Uint8Array {
  const writer = new BinaryWriter();
  for (const body of bodies) writer.tag(1, WireType.LengthDelimited).bytes(body);
  if (atomic) writer.tag(2, WireType.Varint).bool(true);
  return writer.finish();
}

/** What the columns say of one posting must be what the generated decoder says. */
function expectSame(batch: PostingBatch, index: number, decoded: Posting): void {
  const base = index * STRIDE;
  const { fields } = batch;
  expect({
    requestId: batch.requestId(index),
    accountId: batch.accountId(index),
    type: fields[base + TYPE],
    amountMinor: batch.amounts[index],
    unit: batch.text(fields[base + UNIT_AT] as number, fields[base + UNIT_LENGTH] as number),
    holdId: batch.holdId(index),
    final: ((fields[base + HOLD_ID_LENGTH_AND_FLAGS] as number) & FINAL_FLAG) !== 0,
    body: Posting.decode(batch.body(index)),
  }).toEqual({
    requestId: decoded.requestId,
    accountId: decoded.accountId,
    type: decoded.type,
    amountMinor: decoded.amountMinor,
    unit: decoded.unit,
    holdId: decoded.holdId,
    final: decoded.final,
    body: decoded,
  });
  if (decoded.signature.length > 0) expect((fields[base + HOLD_ID_LENGTH_AND_FLAGS] as number) & SIGNED_FLAG).toBe(SIGNED_FLAG);
}

test('well-formed postings are read as the generated codec reads them, whatever the order of their fields and whatever else is there', () => {
  fc.assert(
    fc.property(fc.array(encodedPosting, { maxLength: 6 }), fc.boolean(), (bodies, atomic) => {
      const bytes = request(bodies, atomic);
      const decoded = PostBatchRequest.decode(bytes);
      const issues = new Issues();
      const batch = scanPostings(bytes, issues);
      expect(batch.count).toBe(bodies.length);
      expect(batch.atomic).toBe(atomic);
      expect([...issues.found]).toEqual([]);
      decoded.postings.forEach((posting, index) => expectSame(batch, index, posting));
      batch.release();
    }),
    { numRuns: 300 },
  );
});

test('of bytes that were damaged either nothing is taken, or what the generated codec takes, too', () => {
  const damage = fc.record({
    at: fc.nat(),
    kind: fc.constantFrom('flip', 'insert', 'remove', 'cut'),
    byte: fc.constantFrom(0, 1, 2, 3, 4, 0x0a, 0x12, 0x20, 0x7f, 0x80, 0x8a, 0xff),
  });
  let taken = 0;
  fc.assert(
    fc.property(fc.array(encodedPosting, { minLength: 1, maxLength: 2 }), fc.array(damage, { minLength: 1, maxLength: 4 }), (bodies, damages) => {
      let bytes = Buffer.from(request(bodies));
      for (const { at, kind, byte } of damages) {
        const place = bytes.length === 0 ? 0 : at % bytes.length;
        if (kind === 'flip' && bytes.length > 0) bytes[place] = byte;
        else if (kind === 'insert') bytes = Buffer.concat([bytes.subarray(0, place), Buffer.from([byte]), bytes.subarray(place)]);
        else if (kind === 'remove') bytes = Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + 1)]);
        else bytes = bytes.subarray(0, place);
      }
      taken += expectHarmless(bytes);
    }),
    { numRuns: 3_000 },
  );
  expect(taken).toBeGreaterThan(100);
});

test('of bytes that are nothing at all nothing is taken, or what the generated codec takes, too', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void expectHarmless(bytes)),
    { numRuns: 3_000 },
  );
});

/** Returns how many postings were taken without an issue. */
function expectHarmless(bytes: Uint8Array): number {
  const issues = new Issues();
  let batch: PostingBatch;
  try {
    batch = scanPostings(bytes, issues);
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedMessageError);
    return 0;
  }
  let taken = 0;
  for (let index = 0; index < batch.count; index += 1) {
    if (issues.found.has(index)) continue;
    expectSame(batch, index, Posting.decode(batch.body(index)));
    taken += 1;
  }
  batch.release();
  return taken;
}

describe('a posting with a tag that decoders read differently is refused, the others of its message are not', () => {
  const signed = Buffer.from(Posting.encode(Posting.fromPartial({ requestId: 'r', accountId: 'a', type: 1, amountMinor: 5n, unit: 'EUR' })).finish());
  const amount = Buffer.from([0x20, 0x64]);

  test.each`
    what                                      | bytes
    ${'field number 0, which ends a message'} | ${Buffer.concat([signed, Buffer.from([0x00, 0x00]), amount])}
    ${'field number 0 with a length'}         | ${Buffer.concat([signed, Buffer.from([0x02, 0x00]), amount])}
    ${'field number 0 of eight bytes'}        | ${Buffer.concat([signed, Buffer.from([0x01, 1, 2, 3, 4, 5, 6, 7, 8]), amount])}
    ${'a known field in two bytes'}           | ${Buffer.concat([amount, signed, Buffer.from([0xa0, 0x00, 0x05])])}
    ${'a known field in five bytes'}          | ${Buffer.concat([amount, signed, Buffer.from([0xa0, 0x80, 0x80, 0x80, 0x00, 0x05])])}
    ${'a known field beyond 32 bits'}         | ${Buffer.concat([amount, signed, Buffer.from([0xa0, 0x80, 0x80, 0x80, 0x10, 0x05])])}
    ${'a known field in ten bytes'}           | ${Buffer.concat([amount, signed, Buffer.from([0xa0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0x05])])}
    ${'the end of a group'}                   | ${Buffer.concat([signed, Buffer.from([0x7c]), amount])}
    ${'a group'}                              | ${Buffer.concat([signed, Buffer.from([0x7b, 0x7c]), amount])}
    ${'field number 0 in metadata'}           | ${Buffer.concat([signed, Buffer.from([0x5a, 0x02, 0x00, 0x00])])}
    ${'metadata that is no message'}          | ${Buffer.concat([signed, Buffer.from([0x5a, 0x02, 0x7a, 0x7a])])}
  `('$what', ({ bytes }: { bytes: Buffer }) => {
    const issues = new Issues();
    const batch = scanPostings(request([signed, bytes, signed]), issues);
    expect([batch.count, [...issues.found.keys()]]).toEqual([3, [1]]);
    expect(issues.found.get(1)).toMatch(/^the posting is not well formed: /);
    batch.release();
    // In the log there is no such posting.
    expect(() => scanRecordedPostings(request([bytes]))).toThrow(MalformedMessageError);
  });
});

describe('shape', () => {
  const good = { requestId: 'r', accountId: 'a', type: 1 as PostingType, amountMinor: 5n, unit: 'EUR' };
  const issueOf = (posting: Partial<Posting>): string | undefined => {
    const issues = new Issues();
    scanPostings(request([Posting.encode(Posting.fromPartial({ ...good, ...posting })).finish()]), issues).release();
    return issues.found.get(0);
  };
  const bytes = (count: number): string => 'x'.repeat(count);
  const pairs = (count: number, value: string): Record<string, string> => Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, value]));

  test.each`
    posting                                           | issue
    ${{}}                                             | ${undefined}
    ${{ requestId: '' }}                              | ${'request_id has 0 bytes; it must have 1 to 128'}
    ${{ requestId: bytes(128) }}                      | ${undefined}
    ${{ requestId: bytes(129) }}                      | ${'request_id has 129 bytes; it must have 1 to 128'}
    ${{ requestId: '語'.repeat(43) }}                 | ${'request_id has 129 bytes; it must have 1 to 128'}
    ${{ accountId: '' }}                              | ${'account_id has 0 bytes; it must have 1 to 128'}
    ${{ accountId: bytes(129) }}                      | ${'account_id has 129 bytes; it must have 1 to 128'}
    ${{ unit: '' }}                                   | ${'unit has 0 bytes; it must have 1 to 16'}
    ${{ unit: bytes(16) }}                            | ${undefined}
    ${{ unit: bytes(17) }}                            | ${'unit has 17 bytes; it must have 1 to 16'}
    ${{ type: 4 as PostingType }}                     | ${'hold_id is empty; CAPTURE and RELEASE name a hold'}
    ${{ type: 5 as PostingType, holdId: bytes(128) }} | ${undefined}
    ${{ type: 5 as PostingType, holdId: bytes(129) }} | ${'hold_id has 129 bytes; at most 128 are allowed'}
    ${{ type: 5 as PostingType, holdId: bytes(257) }} | ${'hold_id has 257 bytes; at most 128 are allowed'}
    ${{ type: 0 as PostingType }}                     | ${UNKNOWN_TYPE}
    ${{ type: 6 as PostingType }}                     | ${UNKNOWN_TYPE}
    ${{ type: -1 as PostingType }}                    | ${UNKNOWN_TYPE}
    ${{ type: 257 as PostingType }}                   | ${UNKNOWN_TYPE}
    ${{ counterparty: bytes(129) }}                   | ${'counterparty has 129 bytes; at most 128 are allowed'}
    ${{ channel: bytes(64) }}                         | ${undefined}
    ${{ counterparty: bytes(20_000) }}                | ${'counterparty has 20000 bytes; at most 128 are allowed'}
    ${{ channel: bytes(3_000_000) }}                  | ${'channel has 3000000 bytes; at most 64 are allowed'}
    ${{ requestId: bytes(20_000) }}                   | ${'request_id has 20000 bytes; it must have 1 to 128'}
    ${{ channel: bytes(65) }}                         | ${'channel has 65 bytes; at most 64 are allowed'}
    ${{ initiatedDate: '2024-02-29' }}                | ${undefined}
    ${{ initiatedDate: '2023-02-29' }}                | ${'initiated_date is not a date of the form YYYY-MM-DD'}
    ${{ initiatedDate: '2024-2-29' }}                 | ${'initiated_date is not a date of the form YYYY-MM-DD'}
    ${{ metadata: pairs(16, '') }}                    | ${undefined}
    ${{ metadata: pairs(17, '') }}                    | ${'metadata has 17 pairs; at most 16 are allowed'}
    ${{ metadata: pairs(1, bytes(1000)) }}            | ${undefined}
    ${{ metadata: pairs(1, 'é'.repeat(200)) }}        | ${undefined}
    ${{ metadata: pairs(1, bytes(1100)) }}            | ${'metadata has 1107 bytes; at most 1024 are allowed'}
    ${{ amountMinor: 0n }}                            | ${undefined}
    ${{ toAccountId: 'b' }}                           | ${OF_THE_LOG}
    ${{ fromAccountId: 'b' }}                         | ${OF_THE_LOG}
    ${{ holdExpired: true }}                          | ${OF_THE_LOG}
    ${{ funds: true }}                                | ${OF_THE_LOG}
    ${{ toCapability: 'contest' }}                    | ${OF_THE_LOG}
    ${{ order: Buffer.from([1]) }}                    | ${OF_THE_LOG}
    ${{ interest: true }}                             | ${OF_THE_LOG}
    ${{ amountMinor: -(1n << 63n) }}                  | ${undefined}
  `('$# $issue', ({ posting, issue }: { posting: Partial<Posting>; issue: string | undefined }) => {
    expect(issueOf(posting)).toBe(issue);
  });

  test.each([1, 2, 5, 6, 8, 9, 10])('field %i must be UTF-8', (field) => {
    const body = new BinaryWriter();
    body.raw(Posting.encode(Posting.fromPartial(good)).finish());
    body.tag(field, WireType.LengthDelimited).bytes(Buffer.from([0xc3, 0x28]));
    const issues = new Issues();
    scanPostings(request([body.finish()]), issues).release();
    expect(issues.found.get(0)).toMatch(field === 10 ? /is not a date/ : /is not valid UTF-8/);
  });

  test('metadata must be UTF-8, key and value', () => {
    for (const field of [1, 2]) {
      const body = new BinaryWriter();
      body.raw(Posting.encode(Posting.fromPartial(good)).finish());
      body
        .tag(11, WireType.LengthDelimited)
        .fork()
        .tag(field, WireType.LengthDelimited)
        .bytes(Buffer.from([0xff]))
        .join();
      const issues = new Issues();
      scanPostings(request([body.finish()]), issues).release();
      expect(issues.found.get(0)).toBe('metadata is not valid UTF-8');
    }
  });
});

describe('a batch', () => {
  const body = (requestId: string): Uint8Array =>
    Posting.encode(Posting.fromPartial({ requestId, accountId: 'a', type: 1, amountMinor: 1n, unit: 'EUR' })).finish();

  test('keeps what the scan found wrong when it grows', () => {
    const marks = { invalid: (batch: PostingBatch, index: number): void => void (batch.outcomes[index] = 64), unknownType: (): void => undefined };
    const bodies = Array.from({ length: 5_000 }, (_, index) => body(index % 3 === 0 ? '' : `r${index}`));
    const batch = scanPostings(request(bodies), marks);
    for (let index = 0; index < batch.count; index += 1) {
      expect(batch.outcomes[index]).toBe(index % 3 === 0 ? 64 : 0);
      if (index % 3 !== 0) expect(batch.requestId(index)).toBe(`r${index}`);
    }
    batch.release();
    const next = scanPostings(request([body('x')]), marks);
    expect([...next.outcomes.subarray(0, 5_000)].every((outcome) => outcome === 0)).toBe(true);
    next.release();
  });

  test('has columns for about as many postings as it holds, also when it is used again', () => {
    const marks = { invalid: (): void => undefined, unknownType: (): void => undefined };
    for (const count of [1, 8, 200, 1, 1_000, 5_000, 1, 3]) {
      const bodies = Array.from({ length: count }, (_, index) => body(`a request id of the usual length ${index}`.padEnd(45)));
      const batch = scanPostings(request(bodies), marks);
      expect(batch.count).toBe(count);
      expect(batch.capacity).toBeLessThanOrEqual(count <= 8 ? 8 : count <= 256 ? 256 : 8_192);
      expect(batch.requestId(count - 1)).toContain(`length ${count - 1}`);
      batch.release();
    }
  });

  test('stops above 10,000 postings, but a list of the log is read whole', () => {
    const bytes = request(Array.from({ length: 10_300 }, (_, index) => body(`r${index}`)));
    const asked = scanPostings(bytes, new Issues());
    expect(asked.count).toBe(10_001);
    asked.release();
    const recorded = scanRecordedPostings(bytes);
    expect(recorded.count).toBe(10_300);
    expect(recorded.requestId(10_299)).toBe('r10299');
    recorded.release();
  });
});

describe('messages of one posting each', () => {
  const marks = { invalid: (batch: PostingBatch, index: number): void => void (batch.outcomes[index] = 64), unknownType: (): void => undefined };
  const good = (requestId: string): Uint8Array =>
    request([Posting.encode(Posting.fromPartial({ requestId, accountId: 'a', type: 1, amountMinor: 1n, unit: 'EUR' })).finish()]);

  test('are one batch, in order; what is wrong with the shape of one is marked', () => {
    const { batch, malformed } = scanPostingMessages([good('r0'), good(''), Buffer.concat([good('r2'), Buffer.from([0x10, 0x01])])], marks);
    expect(malformed).toBeUndefined();
    expect([batch.count, batch.atomic]).toEqual([3, false]);
    expect([0, 1, 2].map((index) => [batch.requestId(index), batch.outcomes[index]])).toEqual([
      ['r0', 0],
      ['', 64],
      ['r2', 0],
    ]);
    batch.release();
  });

  test.each`
    what                             | message
    ${'without a posting'}           | ${Buffer.alloc(0)}
    ${'with two postings'}           | ${Buffer.concat([good('x'), good('')])}
    ${'with three postings'}         | ${Buffer.concat([good('x'), good('y'), good('z')])}
    ${'that ends within its length'} | ${good('x').subarray(0, 1)}
    ${'that ends within a posting'}  | ${good('x').subarray(0, 5)}
    ${'of noise'}                    | ${Buffer.from([0x07, 0xff])}
  `('up to the first message $what', ({ message }: { message: Buffer }) => {
    const { batch, malformed } = scanPostingMessages([good('r0'), good('r1'), message, good('r3')], marks);
    expect(malformed).toEqual(expect.any(String));
    expect([batch.count, batch.requestId(1)]).toEqual([2, 'r1']);
    batch.release();
    const next = scanPostingMessages([good('a'), good('b'), good('c')], marks);
    expect(Array.from(next.batch.outcomes.subarray(0, 3))).toEqual([0, 0, 0]);
    next.batch.release();
  });
});
