import { until } from '@sluice/judged-load';
import { actingSchedulers, type Fault } from '../harness/under-load';

export const schedulerKilled: Fault = {
  name: 'kill -9 of the scheduler that acts: the other one acts once the lease has run out, and never both',
  run: async ({ calls, scheduler }) => {
    const [acting] = await actingSchedulers(calls, scheduler);
    const victim = scheduler.find(({ name }) => name === acting);
    const other = scheduler.find(({ name }) => name !== acting);
    expect(victim).toBeDefined();
    await victim?.kill();
    const seen: (readonly string[])[] = [];
    await until('the other one acts', async () => {
      seen.push(await actingSchedulers(calls, scheduler));
      return seen.at(-1)?.[0] === other?.name;
    });
    await victim?.start();
    await victim?.untilServing();
    expect(seen.filter((names) => names.length > 1)).toEqual([]);
    expect(await actingSchedulers(calls, scheduler)).toEqual([other?.name]);
  },
};
