import { epochsOf } from './harness/service-calls';
import { PARTITIONS, testFault, until } from './harness/under-load';

testFault(
  'an owner paused for longer than its lease: after the new owner’s first commit none of its own succeeds',
  {},
  async ({ load, command, projector, holderOf }) => {
    const owner = await holderOf('command/0');
    const paused = command.find(({ name }) => name === owner);
    expect(paused).toBeDefined();
    paused?.signal('SIGSTOP');
    try {
      await until('another one owns the partition', async () => ![undefined, owner].includes(await holderOf('command/0')));
      await load.more(500);
    } finally {
      paused?.signal('SIGCONT');
    }
    await load.more(1_000);
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const epochs = await epochsOf(projector[0]?.address ?? '', partition);
      expect([...epochs].sort((left, right) => Number(left - right))).toEqual(epochs);
      expect(new Set(epochs).size).toBeGreaterThan(0);
    }
  },
);
