import { PARTITIONS, type Scene, testFault, until } from './harness/under-load';

/** Longer than every lease; a minute would show the same and cost the time. */
const GONE_MS = 12_000;
const GAP_LIMIT_MS = 5_000;

async function owners({ holderOf }: Scene): Promise<number> {
  return new Set(await Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => holderOf(`command/${partition}`)))).size;
}

testFault('NATS gone for longer than every lease: nobody loses what it has, and everything is published in the end', {}, async (scene) => {
  const { distributed, load, command } = scene;
  await until('the partitions are spread over all instances', async () => (await owners(scene)) === command.length);
  load.measureGaps();
  await distributed.nats.stop();
  await new Promise((resolve) => setTimeout(resolve, GONE_MS));
  await distributed.nats.restart();
  await load.moreEverywhere(100);
  expect(load.longestGapMs).toBeLessThan(GAP_LIMIT_MS);
  await until('every instance owns partitions', async () => (await owners(scene)) === command.length);
});
