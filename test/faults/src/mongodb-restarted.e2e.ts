import { testFault } from './harness/under-load';

testFault('graceful restart of MongoDB: what was not durable is decided again, what was is answered', {}, async ({ distributed, load }) => {
  await distributed.mongodb.stop();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await distributed.mongodb.restart();
  await load.moreEverywhere(100);
});
