import { testFault } from './harness/under-load';

/** As promised: the gap in service after an owner's death. */
const GAP_LIMIT_MS = 5_000;

testFault('kill -9 of the owner of partitions: the others go on with them, and it comes back', {}, async ({ load, command, holderOf }) => {
  const owner = await holderOf('command/0');
  const victim = command.find(({ name }) => name === owner);
  expect(victim).toBeDefined();
  load.measureGaps();
  await victim?.kill();
  await load.more(2_000);
  expect(load.longestGapMs).toBeLessThan(GAP_LIMIT_MS);
  await victim?.start();
  await victim?.untilServing();
});
