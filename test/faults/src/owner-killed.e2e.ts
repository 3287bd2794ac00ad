import { testFault } from './harness/under-load';

testFault('kill -9 of the owner of partitions: the others go on with them, and it comes back', {}, async ({ load, ownerOf }) => {
  const victim = await ownerOf(0);
  await victim.kill();
  await load.moreEverywhere(100);
  await victim.start();
  await victim.untilServing();
});
