import { GatheredReads } from './gathered-reads';

test('calls of one round for the same key share one reading, and later ones have another', async () => {
  const read: string[] = [];
  const reads = new GatheredReads(async (copy: string, key: string) => {
    read.push(`${copy} ${key}`);
    return read.length;
  });
  const first = Array.from({ length: 10_000 }, () => reads.now('a', 'k'));
  const others = [reads.now('a', 'other'), reads.now('b', 'k')];
  expect(read).toEqual([]);
  expect(new Set(await Promise.all(first))).toEqual(new Set([1]));
  expect(await Promise.all(others)).toEqual([2, 3]);
  expect(await reads.now('a', 'k')).toBe(4);
  expect(read).toEqual(['a k', 'a other', 'b k', 'a k']);
});

test('many keys are read over several rounds', async () => {
  let round = 0;
  let counting = true;
  const count = (): void => {
    round += 1;
    if (counting) setImmediate(count);
  };
  setImmediate(count);
  const perRound = new Map<number, number>();
  const reads = new GatheredReads(async (_copy: string, key: string) => {
    perRound.set(round, (perRound.get(round) ?? 0) + 1);
    return key;
  });
  expect(await Promise.all(Array.from({ length: 1_000 }, (_, key) => reads.now('a', String(key))))).toHaveLength(1_000);
  counting = false;
  expect(Math.max(...perRound.values())).toBeLessThanOrEqual(64);
});

test('a reading that fails reaches all that share it, and is not kept', async () => {
  let fails = true;
  const reads = new GatheredReads(async () => {
    if (fails) throw new Error('no disk');
    return 'read';
  });
  const outcomes = await Promise.allSettled([reads.now('a', 'k'), reads.now('a', 'k')]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  fails = false;
  expect(await reads.now('a', 'k')).toBe('read');
});
