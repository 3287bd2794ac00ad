import { keyringContract } from '@sluice/testing';
import { MemoryKeyring, type MemoryKeys } from './memory-keyring';

keyringContract('memory', async () => {
  const keys: MemoryKeys = new Map();
  return { open: async () => new MemoryKeyring(keys), dispose: async () => {} };
});
