/** When something is due in which queue, beside a look through all queues. */
import fc from 'fast-check';
import { QueueAlarms } from './queue-alarms';
import type { QueueEntry } from './queue-entry';

interface Due {
  nextDueUs: number;
  wakeAtUs: number;
}

test('a look finds the queues in which something is due, each once, and no others', () => {
  const change = fc.record({ queue: fc.nat(4), inUs: fc.integer({ min: 1, max: 50 }), passUs: fc.nat(20) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
      const queues: Due[] = Array.from({ length: 5 }, () => ({ nextDueUs: Infinity, wakeAtUs: Infinity }));
      const alarms = new QueueAlarms();
      let nowUs = 0;
      for (const { queue, inUs, passUs } of changes) {
        const changed = queues[queue] as Due;
        changed.nextDueUs = nowUs + inUs;
        alarms.set(changed as QueueEntry);
        expect(alarms.nextUs).toBeLessThanOrEqual(Math.min(...queues.map(({ nextDueUs }) => nextDueUs)));
        nowUs += passUs;
        const wanted = queues.filter(({ nextDueUs }) => nextDueUs <= nowUs);
        const found = alarms.due(nowUs) as readonly unknown[] as readonly Due[];
        expect(new Set(found)).toEqual(new Set(wanted));
        expect(found).toHaveLength(wanted.length);
        expect(alarms.due(nowUs)).toEqual([]);
        for (const due of found) Object.assign(due, { nextDueUs: Infinity, wakeAtUs: Infinity });
      }
    }),
  );
});

test('a queue whose time comes nearer again and again takes no more than a place or two', () => {
  const far: Due = { nextDueUs: 1e15, wakeAtUs: Infinity };
  const alarms = new QueueAlarms();
  for (let nowUs = 1; nowUs < 20_000; nowUs += 1) {
    Object.assign(far, { nextDueUs: 1e15 });
    alarms.set(far as QueueEntry);
    Object.assign(far, { nextDueUs: nowUs });
    alarms.set(far as QueueEntry);
    expect(alarms.due(nowUs)).toEqual([far]);
    Object.assign(far, { wakeAtUs: Infinity });
  }
  expect(alarms.size).toBeLessThan(2_000);
});
