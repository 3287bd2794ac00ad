import { testFault } from './harness/under-load';

const GAP_LIMIT_MS = 5_000;

testFault('kill -9 of NATS: owners go on under the fence and publish later', {}, async ({ distributed, load }) => {
  load.measureGaps();
  await distributed.nats.kill();
  await load.moreEverywhere(100);
  await distributed.nats.restart();
  await load.moreEverywhere(100);
  expect(load.longestGapMs).toBeLessThan(GAP_LIMIT_MS);
});
