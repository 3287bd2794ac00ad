import * as fc from 'fast-check';
import { CommitRuns } from './commit-runs';

test('a number is found in the commit that owes it', () => {
  const runs = new CommitRuns();
  runs.add(1, 10);
  runs.add(5, 12);
  runs.add(6, 40);
  expect([0, 1, 4, 5, 6, 1_000].map((number) => runs.sequenceOf(number))).toEqual([undefined, 10, 10, 12, 40, 40]);
});

test('the first entry of a commit stands for all of it', () => {
  const runs = new CommitRuns();
  runs.add(1, 10);
  runs.add(501, 10);
  expect(runs.count).toBe(1);
  expect(runs.sequenceOf(700)).toBe(10);
});

test('what is dropped is not found, what is left is found as before', () => {
  const runs = new CommitRuns();
  for (let number = 1; number <= 100; number += 1) runs.add(number, number * 2);
  runs.dropBelow(60);
  expect([59, 60, 100].map((number) => runs.sequenceOf(number))).toEqual([undefined, 120, 200]);
});

test('however many commits owe, memory is bounded, and reading from where a number is said to be finds it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ count: fc.integer({ min: 1, max: 5 }), gap: fc.integer({ min: 1, max: 3 }), settled: fc.nat(3) }), { maxLength: 300 }),
      (commits) => {
        const runs = new CommitRuns(16);
        const owedBy = new Map<number, number>();
        let owed = 0;
        let settled = 0;
        let sequence = 0;
        for (const { count, gap, settled: more } of commits) {
          sequence += gap;
          runs.add(owed + 1, sequence);
          for (let number = owed + 1; number <= owed + count; number += 1) owedBy.set(number, sequence);
          owed += count;
          settled = Math.min(owed, settled + more);
          runs.dropBelow(settled + 1);
        }
        expect(runs.count).toBeLessThanOrEqual(16);
        for (let number = settled + 1; number <= owed; number += 1) {
          const from = runs.sequenceOf(number);
          expect(from).toBeDefined();
          expect(from).toBeLessThanOrEqual(owedBy.get(number) as number);
        }
      },
    ),
  );
});

test('the room of dropped entries is used again', () => {
  const runs = new CommitRuns();
  for (let number = 1; number <= 100_000; number += 1) {
    runs.add(number, number);
    runs.dropBelow(number - 3);
  }
  expect([...runs.copy()]).toEqual([99_997, 99_997, 99_998, 99_998, 99_999, 99_999, 100_000, 100_000]);
});
