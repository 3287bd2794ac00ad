import fc from 'fast-check';
import type { AttemptOutcome } from './queue';
import { RecentEnds } from './recent-ends';
import type { LeaseName } from './task-id';

const MAXIMUM = 128;
const end = fc.record({
  number: fc.integer({ min: 1, max: 300 }),
  attempt: fc.integer({ min: 1, max: 3 }),
  sequence: fc.integer({ min: 1, max: 5 }),
  outcome: fc.constantFrom<AttemptOutcome>('SUCCEEDED', 'FAILED', 'RETURNED'),
});

test('of the newest ends that of a task is known, and no other', () => {
  fc.assert(
    fc.property(fc.array(end, { maxLength: 600 }), (ends) => {
      const recent = new RecentEnds(MAXIMUM);
      for (const { outcome, ...lease } of ends) recent.add(lease, outcome);
      const newest = new Map<number, LeaseName & { readonly outcome: AttemptOutcome }>();
      for (const one of ends.slice(-MAXIMUM)) newest.set(one.number, one);
      const asked = ends.flatMap(({ outcome: _, ...lease }) => [lease, { ...lease, sequence: lease.sequence + 1 }]);
      const expected = asked.map((lease) => {
        const known = newest.get(lease.number);
        return known?.attempt === lease.attempt && known.sequence === lease.sequence ? known.outcome : undefined;
      });
      expect(asked.map((lease) => recent.outcomeOf(lease))).toEqual(expected);
      const positions = Array.from({ length: recent.total - recent.oldest }, (_, at) => recent.oldest + at);
      expect(positions.map((position) => recent.at(position))).toEqual(ends.slice(-MAXIMUM));
    }),
  );
});
