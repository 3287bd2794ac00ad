/** The keyed hash against HalfSipHash as it is published, and against ids that were made to collide. */
import { murmurHash3 } from '@sluice/domain';
import * as fc from 'fast-check';
import { hashSeeds, keyedHash, lastHash, requestHash, requestHashIn, wordsIn, type HashSeeds } from './request-hash';

const seeds = hashSeeds(Buffer.from('the secret of the tests'), Buffer.from('00112233445566778899aabbccddeeff', 'hex'));

/** HalfSipHash-c-d with a result of 64 bits, step by step. */
function halfSipHash({ first, second }: Pick<HashSeeds, 'first' | 'second'>, message: Uint8Array, compressions: number, finalizations: number): Buffer {
  const v = Uint32Array.of(first, second ^ 0xee, first ^ 0x6c796765, second ^ 0x74656462) as Uint32Array & { 0: number; 1: number; 2: number; 3: number };
  const left = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));
  const rounds = (count: number): void => {
    for (let round = 0; round < count; round += 1) {
      v[0] += v[1];
      v[1] = left(v[1], 5) ^ v[0];
      v[0] = left(v[0], 16);
      v[2] += v[3];
      v[3] = left(v[3], 8) ^ v[2];
      v[0] += v[3];
      v[3] = left(v[3], 7) ^ v[0];
      v[2] += v[1];
      v[1] = left(v[1], 13) ^ v[2];
      v[2] = left(v[2], 16);
    }
  };
  const padded = Buffer.alloc(Math.floor(message.length / 4) * 4 + 4);
  padded.set(message);
  padded[padded.length - 1] = message.length;
  for (let at = 0; at < padded.length; at += 4) {
    const word = padded.readUInt32LE(at);
    v[3] ^= word;
    rounds(compressions);
    v[0] ^= word;
  }
  const result = Buffer.alloc(8);
  v[2] ^= 0xee;
  rounds(finalizations);
  result.writeUInt32LE((v[1] ^ v[3]) >>> 0, 0);
  v[1] ^= 0xdd;
  rounds(finalizations);
  result.writeUInt32LE((v[1] ^ v[3]) >>> 0, 4);
  return result;
}

function result(): string {
  const bytes = Buffer.alloc(8);
  bytes.writeInt32LE(lastHash.first, 0);
  bytes.writeInt32LE(lastHash.second, 4);
  return bytes.toString('hex');
}

// Published vectors of HalfSipHash-2-4: key 00 01 … 07, message 00 01 … of so many bytes.
test.each`
  length | hash
  ${0}   | ${'218d1f59b9b83cc8'}
  ${1}   | ${'be552412f8387315'}
  ${2}   | ${'064f39ef7c50eb57'}
  ${3}   | ${'ce0f1a45f7060679'}
  ${4}   | ${'d5e78a175be52ea1'}
  ${7}   | ${'ff202728b07bc684'}
  ${8}   | ${'ed fe e8 20 bc e4 85 8c'}
  ${15}  | ${'217d0bcb4e81c902'}
`('the reference computes the published vector of $length bytes', ({ length, hash }: { length: number; hash: string }) => {
  const key = Buffer.from('0001020304050607', 'hex');
  const message = Uint8Array.from({ length }, (_, at) => at);
  expect(halfSipHash({ first: key.readUInt32LE(0), second: key.readUInt32LE(4) }, message, 2, 4).toString('hex')).toBe(hash.replaceAll(' ', ''));
});

test('a hash is the first half of HalfSipHash-1-3 of the bytes, wherever they stand', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 140 }), fc.uint8Array({ maxLength: 9 }), (bytes, before) => {
      const message = Buffer.concat([before, bytes, before]);
      expect(keyedHash(seeds, message, before.length, before.length + bytes.length)).toBe(halfSipHash(seeds, bytes, 1, 3).readInt32LE(0));
    }),
  );
});

test('the hash of a request is that of the aggregate and the request id', () => {
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.uint8Array({ maxLength: 140 }), (aggregate, bytes) => {
      const prefix = Buffer.alloc(4);
      prefix.writeInt32LE(aggregate);
      requestHash(seeds, aggregate, bytes, 0, bytes.length);
      const expected = halfSipHash(seeds, Buffer.concat([prefix, bytes]), 1, 3);
      expect(result()).toBe(expected.toString('hex'));
      const column = new Int32Array(4);
      requestHashIn(seeds, aggregate, wordsIn(bytes), 0, bytes.length, column, 2);
      expect([...column]).toEqual([0, 0, expected.readInt32LE(0), expected.readInt32LE(4)]);
    }),
  );
});

test('ids that meet in MurmurHash3 under every seed do not meet in the keyed hash', () => {
  const ids = murmurCollisions(12);
  for (const seed of [0, 1, 0x5bd1e995, -7]) expect(new Set(ids.map((id) => murmurHash3(id, 0, id.length, seed))).size).toBe(1);
  expect(new Set(ids.map((id) => keyedHash(seeds, id, 0, id.length))).size).toBe(ids.length);
});

test('hashes depend on the secret and on the log, and a fingerprint tells keys apart', () => {
  const incarnation = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
  const id = Buffer.from('request-0001');
  const keys = [seeds, hashSeeds(Buffer.from('another secret'), incarnation), hashSeeds(Buffer.from('the secret of the tests'), Buffer.alloc(16))];
  expect(new Set(keys.map((key) => keyedHash(key, id, 0, id.length))).size).toBe(3);
  expect(new Set(keys.map(({ fingerprint }) => fingerprint)).size).toBe(3);
});

test('a hash never changes: it is stored', () => {
  const id = Buffer.from('request-0001');
  requestHash(seeds, 7, id, 0, id.length);
  expect(result()).toBe('35cc3cc7f317b5e0');
  expect(seeds.fingerprint).toBe('5dbcb9960df22fc6ebb794f41473bdd2');
});

/**
 * 2^pairs ids with one MurmurHash3 under any seed: a block whose mixed value differs in bit 18 makes the state differ in bit 31 alone, and a
 * second block that differs there takes it back (Aumasson, Bernstein and Boßlet, 2012).
 */
function murmurCollisions(pairs: number): Buffer[] {
  const alternatives = [Buffer.from('requests'), Buffer.concat([differing('requ', 0x0004_0000), differing('ests', 0x8000_0000 | 0)])];
  let ids = [Buffer.alloc(0)];
  for (let pair = 0; pair < pairs; pair += 1) ids = ids.flatMap((id) => alternatives.map((alternative) => Buffer.concat([id, alternative])));
  return ids;
}

/** The block whose mixed value differs from that of the text in these bits. */
function differing(text: string, bits: number): Buffer {
  const block = Buffer.alloc(4);
  block.writeInt32LE(unmixed(mixed(Buffer.from(text).readInt32LE(0)) ^ bits));
  return block;
}

function mixed(block: number): number {
  const multiplied = Math.imul(block, 0xcc9e2d51);
  return Math.imul((multiplied << 15) | (multiplied >>> 17), 0x1b873593);
}

function unmixed(value: number): number {
  const rotated = Math.imul(value, inverse(0x1b873593));
  return Math.imul((rotated << 17) | (rotated >>> 15), inverse(0xcc9e2d51));
}

/** Of an odd number, modulo 2^32, by Newton's method. */
function inverse(odd: number): number {
  let guess = odd;
  for (let step = 0; step < 5; step += 1) guess = Math.imul(guess, 2 - Math.imul(odd, guess));
  return guess;
}
