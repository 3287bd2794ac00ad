/** What a queue does at once is bounded, and what it does not need any more it gives back. */
import { decideDue, decidePurgeStep, decideFailure, decideStart, decideSubmission, MAXIMUM_QUEUE_TYPES } from './decide';
import type { KeyLane } from './lanes';
import { TaskQueue, type QueueEvent } from './queue';
import { NO_QUEUE_LIMITS } from './queue-limits';
import { DEFAULT_POLICY, type NewTask } from './task';
import type { LeaseName } from './task-id';

const NOW_US = 1_000_000_000;
const SOON_US = NOW_US + 1_000_000;

class Driven {
  readonly queue = new TaskQueue('q');
  private sequence = 0;

  record(event: QueueEvent): void {
    this.sequence += 1;
    this.queue.evolve(event, { sequence: this.sequence, committedAtUs: NOW_US });
  }

  create(count: number, task: Partial<NewTask> = {}): void {
    for (let at = 0; at < count; at += 1)
      this.record({
        kind: 'created',
        number: this.queue.nextNumber,
        task: { type: 't', priority: 0, key: '', startAtUs: 0, policy: DEFAULT_POLICY, dedupeKey: '', ...task },
      });
  }

  start(): LeaseName {
    const decision = decideStart(this.queue, undefined, NOW_US);
    if (decision.kind !== 'start') throw new Error('nothing is started');
    const { number, attempt } = decision;
    this.record({ kind: 'started', number, attempt, workerId: 'w', keepsLimits: false });
    return { number, attempt, sequence: this.sequence };
  }

  purge(): void {
    this.record({ kind: 'purged', upToNumber: this.queue.nextNumber - 1 });
  }

  /** Numbers of the tasks that the purge ends. */
  purged(): number[] {
    const numbers: number[] = [];
    for (let endings = decidePurgeStep(this.queue, 1_000); endings !== undefined; endings = decidePurgeStep(this.queue, 1_000))
      for (const { event } of endings) {
        this.record(event);
        numbers.push(event.number);
      }
    return numbers;
  }
}

function elementBytes(column: ArrayBufferView): number {
  return 'BYTES_PER_ELEMENT' in column ? (column.BYTES_PER_ELEMENT as number) : 1;
}

test('delays that are over at the same moment are taken in steps', () => {
  const driven = new Driven();
  driven.create(25, { startAtUs: SOON_US });
  const { queue } = driven;
  for (const left of [15, 5, 0]) {
    expect(decideDue(queue, SOON_US, { left: 10 })).toBeUndefined();
    expect(queue.due.size).toBe(left);
  }
});

test('what a purge ends is dropped from the heaps at once, and what comes after it is started', () => {
  const driven = new Driven();
  driven.create(100);
  driven.purge();
  expect(decideStart(driven.queue, undefined, NOW_US)).toMatchObject({ kind: 'nothing' });
  expect(driven.queue.types.get('t')?.ready.size).toBe(0);
  driven.create(1);
  expect(driven.start().number).toBe(101);
});

test.each([false, true])('a task that was under way when the queue was purged, and is to be tried again, is ended by the purge; keyed: %p', (keyed) => {
  const driven = new Driven();
  driven.create(2, keyed ? { key: 'k' } : {});
  const lease = driven.start();
  driven.purge();
  expect(driven.purged()).toEqual([2]);
  driven.create(1, keyed ? { key: 'k' } : {});
  const failed = decideFailure(driven.queue, lease, false, NOW_US);
  if ('rejection' in failed || failed.repeated) throw new Error('the lease is in force');
  driven.record(failed.event);
  expect(driven.purged()).toEqual([1]);
  expect(driven.start().number).toBe(3);
});

test('a queue takes no further types beyond their bound, and takes them again when others have ended', () => {
  const driven = new Driven();
  for (let at = 0; at < MAXIMUM_QUEUE_TYPES; at += 1) driven.create(1, { type: `type ${at}` });
  const submit = (type: string) => decideSubmission(driven.queue, { type, dedupeKey: '' }, 'REFUSE');
  expect(submit('one more')).toEqual({ rejection: 'QUEUE_TYPES_FULL' });
  expect(submit('type 7')).toEqual({ kind: 'new' });
  driven.purge();
  driven.purged();
  expect(submit('one more')).toEqual({ kind: 'new' });
});

test('a queue whose tasks have ended gives its memory back, and the few that are left stay as they are', () => {
  const driven = new Driven();
  const { queue } = driven;
  driven.create(20_000);
  driven.create(3, {
    key: 'k',
    priority: 5,
    startAtUs: SOON_US,
    dedupeKey: 'd',
    policy: { ...DEFAULT_POLICY, limits: { ...DEFAULT_POLICY.limits, submitToFinishMs: 5_000 } },
  });
  const lease = driven.start();
  const kept = [lease.number, 20_001, 20_002, 20_003];
  const recordsOf = () =>
    kept.map((number) => {
      const slot = queue.tasks.slotOf(number);
      return { record: queue.tasks.recordOf(slot), notRecorded: [queue.tasks.heardAtUs[slot], queue.tasks.countedFromUs[slot]] };
    });
  const lengths = () =>
    new Set(Object.values(queue.tasks).flatMap((column: unknown) => (ArrayBuffer.isView(column) ? [column.byteLength / elementBytes(column)] : [])));
  expect(lengths()).toEqual(new Set([32_768]));
  const before = recordsOf();
  for (let number = 1; number <= 20_000; number += 1) if (number !== lease.number) driven.record({ kind: 'ended', number });
  expect(queue.tasks.numbers.length).toBeLessThan(8_192);
  expect(lengths().size).toBe(1);
  expect(recordsOf()).toEqual(before);
  expect(queue.due.size).toBeLessThan(10_000);
  const failed = decideFailure(queue, lease, true, NOW_US);
  expect(failed).toMatchObject({ repeated: false, state: 'FAILED' });
});

test.each`
  configured                                                        | looksAtKeys
  ${{ maximumRunning: 5, rate: { maximumStarts: 9, windowMs: 1 } }} | ${false}
  ${{ ratePerKey: { maximumStarts: 2, windowMs: 1_000 } }}          | ${false}
  ${{ ratePerKey: { maximumStarts: 3, windowMs: 1_000 } }}          | ${true}
  ${{ ratePerKey: undefined }}                                      | ${true}
  ${{ maximumRunningPerKey: 2 }}                                    | ${true}
`(
  'limits of a queue are taken to each of its keys only where those of keys change: $configured',
  ({ configured, looksAtKeys }: { configured: object; looksAtKeys: boolean }) => {
    const limits = { ...NO_QUEUE_LIMITS, ratePerKey: { maximumStarts: 2, windowMs: 1_000 } };
    const driven = new Driven();
    driven.record({ kind: 'configured', limits });
    driven.create(1, { key: 'k' });
    const limited = jest.spyOn((driven.queue.keys.get('k') as KeyLane).gate, 'limitTo');
    driven.record({ kind: 'configured', limits: { ...limits, ...configured } });
    expect(limited.mock.calls.length > 0).toBe(looksAtKeys);
  },
);
