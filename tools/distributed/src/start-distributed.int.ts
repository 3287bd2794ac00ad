import type { RunningServer } from '@sluice/infra';
import { startDistributed } from './start-distributed';

test('the read store is the one that the processes are told of', async () => {
  const server = { url: 'mongodb://everything' } as RunningServer;
  const started = await startDistributed({
    counts: { command: 0, query: 0, projector: 0, scheduler: 0 },
    servers: { nats: server, mongodb: server },
    environment: { SLUICE_READ_URL: 'mongodb://read' },
  });
  expect(started.readUrl).toBe('mongodb://read');
  await started.stop();
});
