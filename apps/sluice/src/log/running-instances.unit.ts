import { SessionLease } from '@sluice/leases';
import { ManualClock, MemoryLeaseService, MemoryLeaseTable } from '@sluice/memory';
import { runningInstances } from './running-instances';

const TTL_MS = 6_000;

test('instances that renew what they hold are named; one that is dead and one that holds nothing are not', async () => {
  const clock = new ManualClock();
  const service = new MemoryLeaseService();
  const tables = new Map<string, MemoryLeaseTable>();
  const open = (id: string): Promise<SessionLease> => {
    const table = new MemoryLeaseTable(service, { clock });
    tables.set(id, table);
    return SessionLease.open({ table, holder: { id, address: `${id}:7400` }, ttlMs: TTL_MS, clock });
  };
  const leases = await Promise.all(['command-1', 'command-2', 'projector-1', 'idle'].map(open));
  const [command1, command2, projector] = leases;
  await command1?.acquire('command/0');
  await command2?.acquire('command/1');
  await projector?.acquire('projector/0');
  tables.get('command-2')?.setConnected(false);
  let running: string[] | undefined;
  const observer = await open('observer');
  void runningInstances(observer, clock).then((found) => (running = found));
  while (running === undefined) await clock.elapse(100);
  expect(running).toEqual(['command-1', 'projector-1']);
  tables.get('command-2')?.setConnected(true);
  await Promise.all([...leases, observer].map((lease) => lease.close()));
});
