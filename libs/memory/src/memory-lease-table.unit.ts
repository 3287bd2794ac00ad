import { leaseTableContract } from '@sluice/testing';
import { MemoryLeaseService, MemoryLeaseTable } from './memory-lease-table';

leaseTableContract('memory', async () => {
  const service = new MemoryLeaseService();
  return { open: async () => new MemoryLeaseTable(service), dispose: async () => undefined };
});
