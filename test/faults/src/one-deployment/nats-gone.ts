import { until } from '@sluice/judged-load';
import { evenlySpread, type Fault } from '../harness/under-load';

const TEST_LIMIT_MS = 300_000;

export function natsGone(goneMs: number): Fault {
  return {
    name: `NATS gone for ${goneMs / 1_000} s: every owner keeps its partitions, and everything is published in the end`,
    options: { timeLimitMs: TEST_LIMIT_MS + goneMs },
    run: async (scene) => {
      const { distributed, load } = scene;
      await until('the partitions are evenly spread', () => evenlySpread(scene));
      await distributed.nats.stop();
      await new Promise((resolve) => setTimeout(resolve, goneMs));
      await distributed.nats.restart();
      await load.moreEverywhere(100);
      await until('the partitions are evenly spread again', () => evenlySpread(scene));
    },
  };
}
