import { until } from '@sluice/judged-load';
import { testFault } from './harness/under-load';

testFault(
  'kill -9 of a projector in the middle of its writes: the other takes its partitions over',
  { counts: { projector: 2 } },
  async ({ load, projector, calls, holderOf }) => {
    const holder = await holderOf('projector/0');
    const victim = projector.find(({ name }) => name === holder);
    const other = projector.find(({ name }) => name !== holder);
    expect(victim).toBeDefined();
    await load.more(500);
    await victim?.kill();
    await until('the other one projects every partition', async () => {
      const { partitions } = await calls.projectionStatus(other?.address ?? '');
      return partitions.every(({ heldHere }) => heldHere);
    });
    await victim?.start();
    await victim?.untilServing();
  },
);
