import { type Fault } from '../harness/under-load';

export const ownerKilled: Fault = {
  name: 'kill -9 of the owner of partitions: the others go on with them, and it comes back',
  run: async ({ load, ownerOf }) => {
    const victim = await ownerOf(0);
    await victim.kill();
    await load.moreEverywhere(100);
    await victim.start();
    await victim.untilServing();
  },
};
