import { DEFAULT_POLICY, type TaskQueue } from '@sluice/domain/task';
import type { PartitionServices } from '@sluice/engine';
import { ManualClock } from '@sluice/memory';
import { QueueEntry } from './queue-entry';
import { QueuesSnapshot } from './queues-snapshot';
import { QueuesState } from './queues-state';

/** More than a queue remembers. */
const ENDS = 20_000;
/** While the snapshot is taken. */
const NEWER = 3_000;

function end(queue: TaskQueue, number: number): void {
  queue.ends.add({ number, attempt: 1 + (number % 3), sequence: number + 7 }, number % 5 === 0 ? 'FAILED' : 'SUCCEEDED');
}

function remembered({ ends }: TaskQueue): unknown[] {
  return Array.from({ length: ends.total - ends.oldest }, (_, at) => ends.at(ends.oldest + at));
}

test('a snapshot has the ends that the queue remembers; what newer ones push out meanwhile is pushed out by their replay, too', () => {
  const entry = new QueueEntry('q');
  const { queue } = entry;
  for (let number = 1; number <= ENDS; number += 1) end(queue, number);
  const session = new QueuesSnapshot([entry]);
  const restored = new QueuesState({ partition: 0 } as PartitionServices, new ManualClock());
  let newer = ENDS;
  for (let block = session.next(); block !== undefined; block = session.next()) {
    restored.restore(block);
    for (let count = 0; count < NEWER / 10 && newer < ENDS + NEWER; count += 1) end(queue, (newer += 1));
  }
  session.end();
  const loaded = restored.entry('q').queue;
  for (let number = ENDS + 1; number <= newer; number += 1) end(loaded, number);
  expect(newer).toBe(ENDS + NEWER);
  expect(remembered(loaded)).toEqual(remembered(queue));
});

test.each([true, false])('a snapshot has attempts under way, and whether their worker keeps limits: %p', (keepsLimits) => {
  const entry = new QueueEntry('q');
  const task = { type: 'mail', priority: 0, key: '', startAtUs: 0, policy: DEFAULT_POLICY, dedupeKey: '' };
  entry.queue.evolve({ kind: 'created', number: 1, task }, { sequence: 1, committedAtUs: 1_000 });
  entry.queue.evolve({ kind: 'started', number: 1, attempt: 1, workerId: 'w', keepsLimits }, { sequence: 2, committedAtUs: 2_000 });
  const session = new QueuesSnapshot([entry]);
  const restored = new QueuesState({ partition: 0 } as PartitionServices, new ManualClock());
  for (let block = session.next(); block !== undefined; block = session.next()) restored.restore(block);
  session.end();
  const { tasks } = restored.entry('q').queue;
  expect(tasks.recordOf(tasks.slotOf(1))).toEqual(entry.queue.tasks.recordOf(entry.queue.tasks.slotOf(1)));
  expect(tasks.recordOf(tasks.slotOf(1))).toMatchObject({ running: true, keepsLimits });
});
