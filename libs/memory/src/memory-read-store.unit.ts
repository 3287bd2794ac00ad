import { readStoreContract } from '@sluice/testing';
import { ManualClock } from './manual-clock';
import { MemoryReadStorage, MemoryReadStore } from './memory-read-store';

readStoreContract('memory', async (collections) => {
  const storage = new MemoryReadStorage(collections);
  return {
    open: async (identity, others = collections) => new MemoryReadStore({ storage, collections: others, identity }),
    dispose: async () => {},
  };
});

test('a replaced copy is removed after the grace time', async () => {
  const clock = new ManualClock();
  const storage = new MemoryReadStorage([]);
  const store = new MemoryReadStore({ collections: storage, clock, graceMs: 1000 });
  await store.current();
  await store.activate(await store.beginSwitch(await store.beginCopy({ incarnation: 'ab', partitions: 2 })));
  expect(storage.copies.size).toBe(2);
  clock.advance(1000);
  expect(storage.copies.size).toBe(1);
});
