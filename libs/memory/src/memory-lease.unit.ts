import { leaseContract } from '@sluice/testing';
import { ManualClock } from './manual-clock';
import { MemoryLease, type MemoryLeases } from './memory-lease';

leaseContract('memory', async () => {
  const clock = new ManualClock();
  const leases: MemoryLeases = new Map();
  return {
    open: async () => new MemoryLease({ leases, clock }),
    elapse: (milliseconds) => clock.elapse(milliseconds),
    dispose: async () => {},
  };
});

test('a process that is cut off can do nothing until it is back', async () => {
  const lease = new MemoryLease();
  const holder = { id: 'ann', address: 'a:1' };
  const held = await lease.acquire('x', holder, 1000);
  lease.setConnected(false);
  expect(lease.connected).toBe(false);
  await expect(lease.acquire('y', holder, 1000)).rejects.toThrow(/cannot be reached/);
  lease.setConnected(true);
  expect(await lease.read('x')).toEqual(held);
});
