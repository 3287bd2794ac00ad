/** Of several processes on one log, only the owner answers: also what is nowhere recorded. */
import type { EventLog } from '@sluice/ports';
import { PartitionUnderTest, sorter } from '../test/partition-under-test';

afterAll(() => sorter.close());

const SHARED = { shared: true };

test('an owner that others may follow looks at the log before it answers what is not recorded', async () => {
  const one = await PartitionUnderTest.started(SHARED);
  await one.write('first');
  expect(await one.write()).toEqual({ numbers: [], sequence: 2 });
});

test('one whom another owner has followed answers nothing from the past and steps down', async () => {
  const one = await PartitionUnderTest.started(SHARED);
  await one.next({ ...SHARED, owner: 'two' });
  expect(await one.write()).toBe('NOT_OWNER');
  expect(one.lost).toEqual([1]);
  expect(one.partition.state).toBe('lost');
});

test('a commit of its own that has just become durable is no other owner', async () => {
  const one = await PartitionUnderTest.started(SHARED);
  const unrecorded = one.write();
  const recorded = one.write('first');
  expect(await Promise.all([unrecorded, recorded])).toEqual([
    { numbers: [], sequence: 2 },
    { numbers: [1], sequence: 2 },
  ]);
  expect(one.partition.state).toBe('serving');
});

test('while the log cannot be seen, what is not recorded is not answered', async () => {
  const one = await PartitionUnderTest.started();
  const blind = Object.assign(Object.create(one.log) as EventLog, { isTaken: () => Promise.reject(new Error('the log is away')) });
  const two = one.copy({ ...SHARED, owner: 'two' });
  await two.partition.start();
  Object.assign(two.log, { isTaken: blind.isTaken });
  expect(await two.write()).toBe('PARTITION_UNAVAILABLE');
  expect(two.troubles).toEqual(['whether the partition is still owned could not be seen']);
  expect(two.partition.state).toBe('serving');
});
