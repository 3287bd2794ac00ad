import { testFault } from './harness/under-load';

const GAP_LIMIT_MS = 5_000;

testFault('kill -9 of NATS: owners go on under the fence and publish later', {}, async ({ distributed, load }) => {
  load.measureGaps();
  await distributed.nats.kill();
  await load.more(1_000);
  await distributed.nats.restart();
  await load.more(1_000);
  expect(load.longestGapMs).toBeLessThan(GAP_LIMIT_MS);
});
