import { testFault } from './harness/under-load';

const AWAY_MS = 1_000;

testFault('graceful restart of MongoDB: what was not durable is decided again, what was is answered', {}, async ({ distributed, load, withoutService }) => {
  await withoutService(async () => {
    await distributed.mongodb.stop();
    await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
    await distributed.mongodb.restart();
  });
  await load.moreEverywhere(100);
});
