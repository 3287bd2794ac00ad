/**
 * The hash decides where data is, for ever: its vectors are pinned against published ones and against docs/partitions.md.
 */
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyHash, murmurHash3, partitionOfHash, partitionOfKey, partitionOfWholeKey } from './partition-key';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const hex = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);

// Published vectors of MurmurHash3 x86-32, as unsigned numbers.
test.each`
  bytes                          | seed          | hash
  ${hex()}                       | ${0}          | ${0x00000000}
  ${hex()}                       | ${1}          | ${0x514e28b7}
  ${hex()}                       | ${0xffffffff} | ${0x81f16f39}
  ${hex(0xff, 0xff, 0xff, 0xff)} | ${0}          | ${0x76293b50}
  ${hex(0x21, 0x43, 0x65, 0x87)} | ${0}          | ${0xf55b516b}
  ${hex(0x21, 0x43, 0x65, 0x87)} | ${0x5082edee} | ${0x2362f9de}
  ${hex(0x21, 0x43, 0x65)}       | ${0}          | ${0x7e4a8634}
  ${hex(0x21, 0x43)}             | ${0}          | ${0xa0f7b07a}
  ${hex(0x21)}                   | ${0}          | ${0x72661cf4}
  ${hex(0, 0, 0, 0)}             | ${0}          | ${0x2362f9de}
  ${utf8('aaaa')}                | ${0x9747b28c} | ${0x5a97808a}
  ${utf8('Hello, world!')}       | ${0x9747b28c} | ${0x24884cba}
  ${utf8('test')}                | ${0}          | ${0xba6bd213}
  ${utf8('k'.repeat(128))}       | ${0}          | ${0xe3f48d66}
`('MurmurHash3, published vector $# (seed $seed)', ({ bytes, seed, hash }: { bytes: Uint8Array; seed: number; hash: number }) => {
  expect(murmurHash3(bytes, 0, bytes.length, seed) >>> 0).toBe(hash);
});

const lines = readFileSync(join(__dirname, '../../../../docs/partitions.md'), 'utf8').split('\n');
const documented = lines
  .map((line) => /^\| `(.+)` \| `(.+)` \| (-?\d+) \| (\d+) \| (\d+) \| (\d+) \|$/.exec(line))
  .filter((row) => row !== null)
  .map(([, key, hashed, hash, of4, of6, of1024]) => ({
    key: key!,
    hashed: hashed!,
    hash: Number(hash),
    of4: Number(of4),
    of6: Number(of6),
    of1024: Number(of1024),
  }));

test('docs/partitions.md has vectors', () => {
  expect(documented.length).toBeGreaterThanOrEqual(20);
});

test.each(documented)('documented vector $key', ({ key, hashed, hash, of4, of6, of1024 }) => {
  const bytes = utf8(key);
  expect(keyHash(bytes, 0, bytes.length)).toBe(hash);
  expect(murmurHash3(utf8(hashed), 0, utf8(hashed).length, 0)).toBe(hash);
  expect([partitionOfKey(bytes, 4), partitionOfKey(bytes, 6), partitionOfKey(bytes, 1024)]).toEqual([of4, of6, of1024]);
});

const wholeKeys = lines
  .map((line) => /^\| `([^`]+)` \| (-?\d+) \| (\d+) \| (\d+) \| (\d+) \|$/.exec(line))
  .filter((row) => row !== null)
  .map(([, key, hash, ...partitions]) => ({ key: key!, hash: Number(hash), partitions: partitions.map(Number) }));

test('docs/partitions.md has vectors of keys that are hashed whole', () => {
  expect(wholeKeys.length).toBeGreaterThanOrEqual(6);
});

test.each(wholeKeys)('documented vector of the whole key $key', ({ key, hash, partitions }) => {
  const bytes = utf8(key);
  expect(murmurHash3(bytes, 0, bytes.length, 0)).toBe(hash);
  expect([4, 6, 1024].map((count) => partitionOfWholeKey(bytes, count))).toEqual(partitions);
});

test.each`
  hash           | partitions | partition
  ${0}           | ${4}       | ${0}
  ${-1}          | ${4}       | ${1}
  ${-5}          | ${4}       | ${1}
  ${2147483647}  | ${4}       | ${3}
  ${-2147483647} | ${4}       | ${3}
  ${-2147483648} | ${4}       | ${0}
  ${-2147483648} | ${3}       | ${2}
  ${-2147483648} | ${2}       | ${0}
`('hash $hash of $partitions partitions is $partition', ({ hash, partitions, partition }: { hash: number; partitions: number; partition: number }) => {
  expect(partitionOfHash(hash, partitions)).toBe(partition);
});

test('the hash of a key does not look outside the key', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), fc.string({ unit: 'grapheme', maxLength: 40 }), fc.uint8Array({ maxLength: 20 }), (before, key, after) => {
      const bytes = utf8(key);
      const inside = Uint8Array.from([...before, ...bytes, ...after]);
      expect(keyHash(inside, before.length, before.length + bytes.length)).toBe(keyHash(bytes, 0, bytes.length));
    }),
  );
});

test('keys with the same text in their first braces share a partition, whatever their number', () => {
  const withoutBraces = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => !/[{}]/.test(text));
  fc.assert(
    fc.property(withoutBraces, withoutBraces, withoutBraces, fc.integer({ min: 2, max: 4096 }), (tag, one, other, partitions) => {
      const partition = partitionOfKey(utf8(`${one}{${tag}}${other}`), partitions);
      expect(partition).toBe(partitionOfKey(utf8(tag), partitions));
      expect(partition).toBeGreaterThanOrEqual(0);
      expect(partition).toBeLessThan(partitions);
    }),
  );
});

test('2 × 3 and 3 × 2 spread 60,000 keys evenly', () => {
  const counts = new Array<number>(6).fill(0);
  for (let index = 0; index < 60_000; index += 1) counts[partitionOfKey(utf8(`account-${index}`), 6)]! += 1;
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
});
