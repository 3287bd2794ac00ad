/** A heap of timers beside a sorted array. */
import fc from 'fast-check';
import type { DueCommand } from '../internal/engine-room';
import { MAXIMUM_TIMER_BYTES } from './timer-records';
import { type PendingTimer, TimerHeap } from './timer-heap';

const SEEDS = { first: 1, second: 2 };

const timer = fc.record({
  // Few names and few times, so that they meet.
  capability: fc.constantFrom('account', 'task'),
  method: fc.constantFrom('Expire', 'Start'),
  key: fc.constantFrom('a', 'b', 'ä€😀'),
  timerId: fc.integer({ min: 0, max: 20 }).map(String),
  dueAtUs: fc.integer({ min: 0, max: 30 }),
  payload: fc.uint8Array({ maxLength: 3_000 }),
});
const step = fc.oneof(
  { weight: 6, arbitrary: timer.map((set) => ({ set })) },
  { weight: 2, arbitrary: fc.nat().map((removed) => ({ removed })) },
  { weight: 2, arbitrary: fc.constant({ fired: true }) },
  { weight: 1, arbitrary: fc.constant({ parked: true }) },
  { weight: 1, arbitrary: fc.record({ unparked: fc.nat(50) }) },
);

const isBefore = (left: PendingTimer, right: PendingTimer): number => left.dueAtUs - right.dueAtUs || left.number - right.number;
const nameOf = ({ capability, key, timerId }: DueCommand): string => [capability, key, timerId].join('/');
const plain = ({ payload, ...rest }: PendingTimer) => ({ ...rest, payload: Buffer.from(payload).toString('hex') });

test('whatever is set, removed, fired and parked: the first is the first of the sorted array, and each is found by name and number', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const heap = new TimerHeap(SEEDS);
      let queued: PendingTimer[] = [];
      let parked: PendingTimer[] = [];
      let number = 0;
      const forget = ({ number: gone }: PendingTimer): void => {
        queued = queued.filter((other) => other.number !== gone);
        parked = parked.filter((other) => other.number !== gone);
      };
      for (const taken of steps) {
        const all = [...queued, ...parked];
        if ('set' in taken) {
          const replaced = all.find((other) => nameOf(other) === nameOf(taken.set));
          expect(heap.find(taken.set) === -1).toBe(replaced === undefined);
          if (replaced !== undefined) {
            heap.remove(heap.find(taken.set));
            forget(replaced);
          }
          number += 1;
          heap.put(taken.set, number);
          queued.push({ ...taken.set, number });
          queued.sort(isBefore);
        } else if ('removed' in taken) {
          const victim = all[taken.removed % Math.max(1, all.length)];
          if (victim === undefined) continue;
          heap.remove(heap.findNumber(victim.number));
          forget(victim);
        } else if ('unparked' in taken) {
          const again = parked[taken.unparked % Math.max(1, parked.length)];
          if (again === undefined) continue;
          heap.unpark(heap.findNumber(again.number));
          forget(again);
          queued.push(again);
          queued.sort(isBefore);
        } else if (heap.first !== -1) {
          const first = queued[0] as PendingTimer;
          expect(plain(heap.read(heap.first))).toEqual(plain(first));
          if ('parked' in taken) {
            heap.park(heap.first);
            parked.push(first);
            queued.shift();
          } else {
            heap.remove(heap.first);
            forget(first);
          }
        }
        expect([heap.size, heap.parkedCount, heap.earliestDueUs]).toEqual([queued.length + parked.length, parked.length, queued[0]?.dueAtUs]);
      }
      for (const pending of [...queued, ...parked]) {
        expect(plain(heap.read(heap.find(pending)))).toEqual(plain(pending));
        expect(heap.findNumber(pending.number)).toBe(heap.find(pending));
      }
      expect(drained(heap)).toEqual(queued.map(plain));
    }),
    { numRuns: 200 },
  );
});

function drained(heap: TimerHeap): ReturnType<typeof plain>[] {
  const order = [];
  while (heap.first !== -1) {
    order.push(plain(heap.read(heap.first)));
    heap.remove(heap.first);
  }
  return order;
}

test('the memory of what has ended is used again', () => {
  const heap = new TimerHeap(SEEDS);
  const payload = new Uint8Array(1_000);
  for (let number = 1; number <= 100_000; number += 1) {
    heap.put({ capability: 'task', method: 'Start', key: 'k', timerId: String(number), dueAtUs: number, payload }, number);
    if (heap.size > 1_000) heap.remove(heap.first);
  }
  // 1,000 timers of about a kilobyte; at most half of what is allocated is unused.
  expect(heap.recordBytes).toBeLessThanOrEqual(4 << 20);
  expect(heap.slots).toBe(1_001);
  expect(drained(heap).map(({ timerId }) => Number(timerId))).toEqual(Array.from({ length: 1_000 }, (_, at) => 99_001 + at));
});

test('a timer that is too large is refused, and nothing of it stays', () => {
  const heap = new TimerHeap(SEEDS);
  const large = { capability: 'task', method: 'Start', key: 'k', timerId: 't', dueAtUs: 1, payload: new Uint8Array(MAXIMUM_TIMER_BYTES) };
  expect(() => heap.put(large, 1)).toThrow('the timer t of task k has 65538 bytes; at most 65536 are possible');
  expect([heap.size, heap.slots]).toEqual([0, 0]);
});
