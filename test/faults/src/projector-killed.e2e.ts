import { projectionStatus } from './harness/service-calls';
import { testFault, until } from './harness/under-load';

const LAG_LIMIT_US = 1_000_000n;

testFault(
  'kill -9 of a projector in the middle of its writes: the other takes its partitions over and catches up to less than a second',
  { counts: { projector: 2 } },
  async ({ load, projector, holderOf }) => {
    const holder = await holderOf('projector/0');
    const victim = projector.find(({ name }) => name === holder);
    const other = projector.find(({ name }) => name !== holder);
    expect(victim).toBeDefined();
    await load.more(500);
    await victim?.kill();
    await until('the other one projects every partition, less than a second behind', async () => {
      const { partitions } = await projectionStatus(other?.address ?? '');
      return partitions.every(({ heldHere, lagUs }) => heldHere && lagUs < LAG_LIMIT_US);
    });
    await victim?.start();
    await victim?.untilServing();
  },
);
