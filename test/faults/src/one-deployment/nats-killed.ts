import { until } from '@sluice/judged-load';
import { evenlySpread, type Fault } from '../harness/under-load';

export const natsKilled: Fault = {
  name: 'kill -9 of NATS: owners go on under the fence and publish later',
  run: async (scene) => {
    const { distributed, load } = scene;
    await until('the partitions are evenly spread', () => evenlySpread(scene));
    await distributed.nats.kill();
    await load.moreEverywhere(200);
    await distributed.nats.restart();
    await load.moreEverywhere(200);
  },
};
