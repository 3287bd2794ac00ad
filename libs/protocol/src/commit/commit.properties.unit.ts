/** Commits as they are written and read by hand: the generated codec is the oracle, and every damage is found. */
import * as fc from 'fast-check';
import { Commit } from '../generated/sluice/log/v1/commit';
import { CorruptCommitError, readCommit, readNextCommit, verifyChecksum, type LogPosition } from './commit-reader';
import { CHECKSUM_FIELD_BYTES, CommitWriter, MAXIMUM_TRACEPARENTS, NO_CHECKSUM, type CommitHeader } from './commit-writer';

const INCARNATION = Buffer.from('00112233445566778899aabbccddeeff', 'hex');

const event = fc.record({
  type: fc.constantFrom('account.AccountOpened', 'account.PostingsRecorded', 'log.OwnershipTaken', 'é'),
  version: fc.integer({ min: 0, max: 200 }),
  payload: fc.uint8Array({ maxLength: 400 }),
});
const content = fc.record({
  partition: fc.integer({ min: 0, max: 4095 }),
  sequence: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  epoch: fc.integer({ min: 0, max: 2 ** 40 }),
  committedAtUs: fc.maxSafeNat(),
  traceparents: fc.array(fc.string({ minLength: 1, maxLength: 60 }), { maxLength: 40 }),
  events: fc.array(event, { maxLength: 6 }),
});
type Content = typeof content extends fc.Arbitrary<infer Value> ? Value : never;

function write(writer: CommitWriter, { traceparents, events, ...header }: Content, previousChecksum: Uint8Array = NO_CHECKSUM): Buffer {
  writer.begin({ incarnation: INCARNATION, previousChecksum, ...header } satisfies CommitHeader, traceparents);
  for (const { type, version, payload } of events) writer.event(type, version, payload);
  return writer.finish();
}

test('the generated codec reads what the writer writes, and so does the reader', () => {
  const writer = new CommitWriter();
  fc.assert(
    fc.property(content, fc.uint8Array({ minLength: 32, maxLength: 32 }), (given, previousChecksum) => {
      const bytes = write(writer, given, previousChecksum);
      const decoded = Commit.decode(bytes);
      const kept = given.traceparents.slice(0, MAXIMUM_TRACEPARENTS);
      expect(decoded).toEqual({
        schemaVersion: 1,
        incarnation: INCARNATION,
        partition: given.partition,
        sequence: BigInt(given.sequence),
        epoch: BigInt(given.epoch),
        committedAtUs: BigInt(given.committedAtUs),
        previousChecksum: Buffer.from(previousChecksum),
        traceparents: kept,
        events: given.events.map((one) => ({ ...one, payload: Buffer.from(one.payload) })),
        checksum: bytes.subarray(bytes.length - 32),
      });
      const read = readCommit(bytes);
      expect(read).toEqual({
        incarnation: INCARNATION,
        partition: given.partition,
        sequence: given.sequence,
        epoch: given.epoch,
        committedAtUs: given.committedAtUs,
        previousChecksum: Buffer.from(previousChecksum),
        traceparents: kept,
        events: given.events.map((one) => ({ ...one, payload: Buffer.from(one.payload) })),
        checksum: bytes.subarray(bytes.length - 32),
        bytes,
      });
      expect(writer.events).toBe(given.events.length);
      expect(new Set(writer.eventTypes)).toEqual(new Set(given.events.map(({ type }) => type)));
    }),
    { numRuns: 100 },
  );
});

test('what the generated codec writes is read alike, whatever later versions add', () => {
  const later = Buffer.from([0xa2, 0x01, 0x03, 1, 2, 3, 0xa8, 0x01, 0x07]);
  const bytes = Buffer.concat([
    Commit.encode(
      Commit.fromPartial({ schemaVersion: 1, partition: 3, sequence: 9n, events: [{ type: 'x.Y', version: 2, payload: Buffer.from([1]) }] }),
    ).finish(),
    later,
    Commit.encode(Commit.fromPartial({ checksum: Buffer.alloc(32, 7) })).finish(),
  ]);
  expect(readCommit(bytes)).toMatchObject({ partition: 3, sequence: 9, events: [{ type: 'x.Y', version: 2, payload: Buffer.from([1]) }] });
});

test('a commit of a format that is not known is refused by name', () => {
  const bytes = Commit.encode(Commit.fromPartial({ schemaVersion: 2, partition: 3, sequence: 9n, checksum: Buffer.alloc(32) })).finish();
  expect(() => readCommit(bytes)).toThrow(/partition 3, sequence 9: commit format 2 is not known/);
});

/** A short log of partition 1, and a position before its first commit. */
function log(lengths: readonly number[]): { commits: Buffer[]; start: LogPosition } {
  const writer = new CommitWriter();
  let previous: Uint8Array = NO_CHECKSUM;
  const commits = lengths.map((length, at) => {
    const bytes = write(
      writer,
      {
        partition: 1,
        sequence: at + 1,
        epoch: 1,
        committedAtUs: 1_000_000 + at,
        traceparents: [],
        events: [{ type: 'account.PostingsRecorded', version: 1, payload: new Uint8Array(length).fill(at + 1) }],
      },
      previous,
    );
    previous = bytes.subarray(bytes.length - 32);
    return bytes;
  });
  return { commits, start: { incarnation: INCARNATION, partition: 1, sequence: 0, checksum: NO_CHECKSUM } };
}

function readAll(start: LogPosition, commits: readonly Uint8Array[]): void {
  let position = start;
  for (const bytes of commits) {
    const { sequence, checksum } = readNextCommit(position, bytes);
    position = { ...position, sequence, checksum };
  }
}

test('a whole log is read', () => {
  const { commits, start } = log([0, 10, 300, 5]);
  expect(() => readAll(start, commits)).not.toThrow();
});

test('every flipped byte is found, and the error names partition and sequence', () => {
  const { commits, start } = log([3, 40, 2]);
  const [first, second, third] = commits as [Buffer, Buffer, Buffer];
  for (let at = 0; at < second.length; at += 1) {
    for (const flip of [0x01, 0x80, 0xff]) {
      const damaged = Buffer.from(second);
      damaged[at] = (damaged[at] as number) ^ flip;
      let thrown: unknown;
      try {
        readAll(start, [first, damaged, third]);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(CorruptCommitError);
      expect(thrown).toMatchObject({ partition: 1, sequence: 2 });
    }
  }
});

test('every cut is found', () => {
  const { commits, start } = log([3, 40]);
  const [first, second] = commits as [Buffer, Buffer];
  for (let length = 0; length < second.length; length += 1) {
    expect(() => readAll(start, [first, second.subarray(0, length)])).toThrow(CorruptCommitError);
  }
});

test('a commit that is missing, swapped, repeated, of another partition, log or history is found', () => {
  const { commits, start } = log([3, 40, 2, 7]);
  const other = log([3, 41, 2, 7]).commits;
  const [one, two, three, four] = commits as [Buffer, Buffer, Buffer, Buffer];
  const damages: readonly (readonly Uint8Array[])[] = [
    [two],
    [one, three],
    [one, three, two],
    [one, one],
    [one, two, two],
    [one, other[1] as Buffer, three],
    [one, other[1] as Buffer, other[2] as Buffer, four],
  ];
  for (const damaged of damages) expect(() => readAll(start, damaged)).toThrow(CorruptCommitError);
  expect(() => readAll({ ...start, partition: 2 }, commits)).toThrow(/partition 2, sequence 1: the record holds partition 1/);
  expect(() => readAll({ ...start, incarnation: Buffer.alloc(16) }, commits)).toThrow(/another incarnation/);
});

test('what comes after a position without a checksum is taken on trust for its predecessor only', () => {
  const { commits, start } = log([3, 40, 2]);
  expect(() => readAll({ ...start, sequence: 1, checksum: undefined }, commits.slice(1))).not.toThrow();
});

test('a commit without a format is damage; one of a later format is not', () => {
  expect(() => readCommit(Buffer.alloc(0))).toThrow(/does not say its format/);
  expect(() => readCommit(Buffer.from([0x08, 0x07]))).toThrow(/commit format 7 is not known/);
});

test('no bytes at all make a reader fail in another way', () => {
  const header = Buffer.from([0x08, 0x01]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (noise, headed) => {
      const bytes = headed ? Buffer.concat([header, noise]) : Buffer.from(noise);
      try {
        readCommit(bytes);
      } catch (error) {
        expect((error as Error).name).toMatch(/^(MalformedMessageError|CorruptCommitError|UnknownCommitFormatError)$/);
      }
      if (bytes.length < CHECKSUM_FIELD_BYTES) expect(() => verifyChecksum(0, 1, bytes)).toThrow(CorruptCommitError);
    }),
    { numRuns: 500 },
  );
});
