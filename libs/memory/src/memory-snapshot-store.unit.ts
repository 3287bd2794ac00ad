import { snapshotStoreContract } from '@sluice/testing';
import { MemorySnapshotStore, type MemoryBlocks } from './memory-snapshot-store';

snapshotStoreContract('memory', async () => {
  const blocks: MemoryBlocks = new Map();
  return { open: async () => new MemorySnapshotStore(blocks), dispose: async () => {} };
});
