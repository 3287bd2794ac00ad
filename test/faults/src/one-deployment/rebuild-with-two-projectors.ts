import { type Fault } from '../harness/under-load';

const REBUILDS = 4;

export const rebuildWithTwoProjectors: Fault = {
  name: 'rebuilds at load while two projectors share the partitions: what queries answer never goes back',
  run: async ({ load, query, projector, calls }) => {
    const address = query[0]?.address ?? '';
    const seen = new Map<string, bigint>();
    const wentBack: string[] = [];
    let rebuilding = true;
    const reading = (async () => {
      while (rebuilding) {
        for (const account of load.acknowledged.keys()) {
          const { entryCount } = await calls.account(address, account);
          const before = seen.get(account) ?? 0n;
          if (entryCount < before) wentBack.push(`${account}: ${entryCount} entries after ${before}`);
          seen.set(account, entryCount);
        }
      }
    })();
    try {
      for (let rebuild = 0; rebuild < REBUILDS; rebuild += 1) {
        expect(await calls.rebuilt(projector[rebuild % projector.length]?.address ?? '')).toMatchObject({ switched: true });
        await load.more(200);
      }
    } finally {
      rebuilding = false;
      await reading;
    }
    expect(wentBack).toEqual([]);
  },
};
