import { evenlySpread, testFault, until } from './harness/under-load';

/** Longer than every lease; a minute would show the same and cost the time. */
const GONE_MS = 8_000;
const GAP_LIMIT_MS = 5_000;

testFault('NATS gone for longer than every lease: nobody loses what it has, and everything is published in the end', {}, async (scene) => {
  const { distributed, load } = scene;
  await until('the partitions are evenly spread', () => evenlySpread(scene));
  load.measureGaps();
  await distributed.nats.stop();
  await new Promise((resolve) => setTimeout(resolve, GONE_MS));
  await distributed.nats.restart();
  await load.moreEverywhere(100);
  expect(load.longestGapMs).toBeLessThan(GAP_LIMIT_MS);
  await until('the partitions are evenly spread again', () => evenlySpread(scene));
});
