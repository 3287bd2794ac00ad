import { until } from '@sluice/judged-load';
import type { Fault } from '../harness/under-load';

/** Of one partition: each has thrown the other out. */
const OWNERSHIPS = 2;
/** Between two attempts an instance leaves the partition to others for a while. */
const FIGHT_LIMIT_MS = 60_000;

export const twoOwners: Fault = {
  name: 'two owners of every partition at once: each throws the other out of the log, and no commit of both stands',
  options: { spread: false },
  run: async ({ load, command, projector, calls }) => {
    const [, stranger] = command;
    const epochsOf = (): Promise<bigint[]> => calls.epochs(projector[0]?.address ?? '', 0);
    const before = new Set(await epochsOf()).size;
    if (stranger?.pid === undefined) await stranger?.start();
    await until('they have thrown each other out', async () => new Set(await epochsOf()).size >= before + OWNERSHIPS, FIGHT_LIMIT_MS);
    await stranger?.stop();
    await load.more(500);
    const epochs = await epochsOf();
    expect([...epochs].sort((left, right) => Number(left - right))).toEqual(epochs);
  },
};
