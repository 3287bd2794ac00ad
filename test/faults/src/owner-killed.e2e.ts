import { testFault } from './harness/under-load';

testFault('kill -9 of the owner of partitions: the others go on with them, and it comes back', {}, async ({ load, command, holderOf }) => {
  const owner = await holderOf('command/0');
  const victim = command.find(({ name }) => name === owner);
  expect(victim).toBeDefined();
  await victim?.kill();
  await load.moreEverywhere(100);
  await victim?.start();
  await victim?.untilServing();
});
