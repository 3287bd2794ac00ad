import fc from 'fast-check';
import { murmurHash3 } from '@sluice/domain';
import {
  coversPosition,
  decodePositionToken,
  encodePositionToken,
  InvalidPositionTokenError,
  MAXIMUM_TOKEN_LENGTH,
  MAXIMUM_TOKEN_PARTITIONS,
  mergePositions,
  mergePositionTokens,
  PositionOfOtherLogError,
  positionTokenEncoder,
} from './position-token';

const INCARNATION = '00112233445566778899aabbccddeeff';
const OTHER = 'ffeeddccbbaa99887766554433221100';

const incarnations = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const sequenceMaps = fc
  .array(fc.tuple(fc.nat(0x7fff_ffff), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })), { maxLength: 40 })
  .map((pairs) => new Map(pairs));

/** A token around any body, with a check that fits: what somebody could make who has read the source. */
function forge(body: readonly number[]): string {
  const bytes = Buffer.alloc(body.length + 4);
  bytes.set(body);
  bytes.writeInt32BE(murmurHash3(bytes, 0, body.length, 0x51_1c_e0_01), body.length);
  return bytes.toString('base64url');
}
const header = [1, ...Buffer.from(INCARNATION, 'hex')];

test('a position comes back from its token, and the order of its making does not matter', () => {
  fc.assert(
    fc.property(incarnations, sequenceMaps, (incarnation, sequences) => {
      const token = encodePositionToken({ incarnation, sequences });
      expect(decodePositionToken(token)).toEqual({ incarnation, sequences: new Map([...sequences].sort(([a], [b]) => a - b)) });
      expect(encodePositionToken({ incarnation, sequences: new Map([...sequences].reverse()) })).toBe(token);
    }),
  );
});

test('the largest token is within the named length', () => {
  const sequences = new Map(Array.from({ length: MAXIMUM_TOKEN_PARTITIONS }, (_, index): [number, number] => [0x7fff_0000 + index, Number.MAX_SAFE_INTEGER]));
  const token = encodePositionToken({ incarnation: INCARNATION, sequences });
  expect(token.length).toBeLessThanOrEqual(MAXIMUM_TOKEN_LENGTH);
  expect(decodePositionToken(token).sequences.size).toBe(MAXIMUM_TOKEN_PARTITIONS);
  sequences.set(1, 1);
  expect(() => encodePositionToken({ incarnation: INCARNATION, sequences })).toThrow(RangeError);
});

test.each`
  what                             | token
  ${'nothing'}                     | ${''}
  ${'a word'}                      | ${'yesterday'}
  ${'characters of another kind'}  | ${'äöü!§$%&/()=?'}
  ${'padded base64'}               | ${`${forge([...header, 1, 0, 1])}==`}
  ${'another version'}             | ${forge([2, ...header.slice(1), 1, 0, 1])}
  ${'pairs missing'}               | ${forge([...header, 2, 0, 1])}
  ${'a pair too many'}             | ${forge([...header, 1, 0, 1, 1, 1])}
  ${'falling partitions'}          | ${forge([...header, 2, 1, 1, 0, 1])}
  ${'a partition twice'}           | ${forge([...header, 2, 1, 1, 1, 2])}
  ${'a sequence of 0'}             | ${forge([...header, 1, 0, 0])}
  ${'a number in two forms'}       | ${forge([...header, 1, 0x80, 0x00, 1])}
  ${'a number beyond 2^53'}        | ${forge([...header, 1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01])}
  ${'a number that does not end'}  | ${forge([...header, 1, 0, 0xff])}
  ${'a partition beyond 2^31 - 1'} | ${forge([...header, 1, 0x80, 0x80, 0x80, 0x80, 0x08, 1])}
  ${'too many partitions'}         | ${forge([...header, 0x81, 0x20])}
  ${'megabytes'}                   | ${'A'.repeat(4_000_000)}
`('$what is not a token', ({ token }: { token: string }) => {
  expect(() => decodePositionToken(token)).toThrow(InvalidPositionTokenError);
});

test('a token that was cut or changed is told from a token', () => {
  const token = encodePositionToken({
    incarnation: INCARNATION,
    sequences: new Map([
      [0, 300],
      [3, 70_000],
    ]),
  });
  fc.assert(
    fc.property(fc.nat(token.length - 1), fc.constantFrom(...'ABab09-_'), (at, character) => {
      const changed = token.slice(0, at) + character + token.slice(at + 1);
      if (changed !== token) expect(() => decodePositionToken(changed)).toThrow(InvalidPositionTokenError);
      expect(() => decodePositionToken(token.slice(0, at))).toThrow(InvalidPositionTokenError);
    }),
  );
});

test('garbage throws the typed error and nothing else', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (garbage) => {
      expect(() => decodePositionToken(garbage)).toThrow(InvalidPositionTokenError);
    }),
  );
});

test('a merge covers both sides, and nothing smaller does', () => {
  fc.assert(
    fc.property(sequenceMaps, sequenceMaps, (left, right) => {
      const merged = mergePositions({ incarnation: INCARNATION, sequences: left }, { incarnation: INCARNATION, sequences: right });
      expect(coversPosition((partition) => merged.sequences.get(partition), { incarnation: INCARNATION, sequences: left })).toBe(true);
      expect(coversPosition((partition) => merged.sequences.get(partition), { incarnation: INCARNATION, sequences: right })).toBe(true);
      for (const [partition, sequence] of merged.sequences) {
        expect(sequence).toBe(Math.max(left.get(partition) ?? 0, right.get(partition) ?? 0));
      }
    }),
  );
});

test('tokens merge; an empty one stands for no position', () => {
  const token = (...pairs: [number, number][]): string => encodePositionToken({ incarnation: INCARNATION, sequences: new Map(pairs) });
  expect(mergePositionTokens(token([0, 5]), token([1, 7]))).toBe(token([0, 5], [1, 7]));
  expect(mergePositionTokens(token([0, 5]), token([0, 4], [2, 1]))).toBe(token([0, 5], [2, 1]));
  expect(mergePositionTokens('', token([1, 7]))).toBe(token([1, 7]));
  expect(mergePositionTokens(token([1, 7]), '')).toBe(token([1, 7]));
  expect(() => mergePositionTokens(token([1, 7]), encodePositionToken({ incarnation: OTHER, sequences: new Map([[1, 7]]) }))).toThrow(PositionOfOtherLogError);
});

test.each`
  reached             | wanted              | covers
  ${[]}               | ${[]}               | ${true}
  ${[[0, 5]]}         | ${[[0, 5]]}         | ${true}
  ${[[0, 6]]}         | ${[[0, 5]]}         | ${true}
  ${[[0, 4]]}         | ${[[0, 5]]}         | ${false}
  ${[[0, 9]]}         | ${[[0, 5], [1, 1]]} | ${false}
  ${[[0, 9], [1, 1]]} | ${[[0, 5], [1, 1]]} | ${true}
`('data at $reached covers $wanted: $covers', ({ reached, wanted, covers }: { reached: [number, number][]; wanted: [number, number][]; covers: boolean }) => {
  const data = new Map(reached);
  expect(coversPosition((partition) => data.get(partition), { incarnation: INCARNATION, sequences: new Map(wanted) })).toBe(covers);
});

test('the encoder of one log makes the same tokens, and makes each once', () => {
  const tokenOf = positionTokenEncoder(INCARNATION);
  const first = tokenOf(2, 9);
  expect(first).toBe(encodePositionToken({ incarnation: INCARNATION, sequences: new Map([[2, 9]]) }));
  expect(tokenOf(2, 9)).toBe(first);
  expect(tokenOf(3, 9)).not.toBe(first);
  expect(tokenOf(2, 10)).toBe(encodePositionToken({ incarnation: INCARNATION, sequences: new Map([[2, 10]]) }));
});

test('what is no position cannot become a token', () => {
  const encode = (incarnation: string, partition: number, sequence: number) => () =>
    encodePositionToken({ incarnation, sequences: new Map([[partition, sequence]]) });
  expect(encode('abc', 0, 1)).toThrow(RangeError);
  expect(encode(INCARNATION, -1, 1)).toThrow(RangeError);
  expect(encode(INCARNATION, 0, 0)).toThrow(RangeError);
  expect(encode(INCARNATION, 0, 1.5)).toThrow(RangeError);
});
