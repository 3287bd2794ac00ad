import type { ReadCopy } from '@sluice/ports';
import { SegmentCache } from './segment-cache';

/** A copy that counts what is read from it. */
function countingCopy(bytes: number): { copy: ReadCopy; reads: string[] } {
  const reads: string[] = [];
  const get = async (_collection: string, key: string) => {
    reads.push(key);
    return key === 'missing' ? undefined : { segment_id: key, blocks: new Uint8Array(bytes) };
  };
  return { copy: { name: 'copy', get } as unknown as ReadCopy, reads };
}

test('reads a segment once, also for those who ask at the same time', async () => {
  const { copy, reads } = countingCopy(10);
  const load = new SegmentCache(1_000).over(copy);
  await Promise.all([load('a'), load('a'), load('b')]);
  await load('a');
  expect(reads).toEqual(['a', 'b']);
});

test('stays within its bytes by letting go of what was used longest ago', async () => {
  const { copy, reads } = countingCopy(40);
  const load = new SegmentCache(100).over(copy);
  await load('a');
  await load('b');
  await load('a');
  await load('c');
  await load('a');
  expect(reads).toEqual(['a', 'b', 'c']);
  await load('b');
  expect(reads).toEqual(['a', 'b', 'c', 'b']);
});

test('a segment that is larger than the cache is read all the same; one that is not there is an error, and asked for again', async () => {
  const { copy, reads } = countingCopy(500);
  const load = new SegmentCache(100).over(copy);
  expect((await load('a')).length).toBe(500);
  await expect(load('missing')).rejects.toThrow('entry segment missing is missing');
  await expect(load('missing')).rejects.toThrow();
  expect(reads.filter((key) => key === 'missing').length).toBe(2);
});
