import { evenlySpread, testFault, until } from './harness/under-load';

const GAP_LIMIT_MS = 5_000;

testFault('kill -9 of NATS: owners go on under the fence and publish later', {}, async (scene) => {
  const { distributed, load } = scene;
  await until('the partitions are evenly spread', () => evenlySpread(scene));
  load.measureGaps();
  await distributed.nats.kill();
  await load.moreEverywhere(200);
  await distributed.nats.restart();
  await load.moreEverywhere(200);
  expect(load.longestGapMs).toBeLessThan(GAP_LIMIT_MS);
});
