import { until } from '@sluice/judged-load';
import { evenlySpread, testFault } from './harness/under-load';

/** Few by default: the stand-in for MongoDB looks through all rows for each guarded write, so that more of them keep it from answering. */
const ACCOUNTS = Number(process.env['SLUICE_TEST_JOINING_ACCOUNTS'] ?? '2000');

/** What an instance says when a partition changes hands in another way than by a preparation. */
const DETOURS = [
  'could not be prepared',
  'is loaded again',
  'is dropped',
  'it is loaded when it is taken over',
  'is not prepared but loaded',
  'could not be taken over',
  'the log is read again',
];

testFault(
  `an instance joins and leaves owners of ${ACCOUNTS} accounts: every partition changes hands once each time`,
  // The stand-in for MongoDB projects so many accounts slowly; the projector only reads the log here.
  { judged: false, counts: { query: 0 } },
  async (scene) => {
    const { command, projector, calls, load, gaps, lines } = scene;
    const [staying, joining] = command;
    await joining?.stop();
    await load.openIdle(ACCOUNTS);
    await load.moreEverywhere(20);
    const epochs = (): Promise<bigint[]> => calls.newestEpochs(projector[0]?.address ?? '');
    const before = await epochs();
    gaps.restart();
    await joining?.start();
    await until('the partitions are evenly spread', () => evenlySpread(scene), 30_000);
    await load.moreEverywhere(60);
    const joined = await epochs();
    expect(joined.map((epoch, partition) => Number(epoch - (before[partition] ?? 0n))).sort()).toEqual([0, 0, 1, 1]);
    await joining?.stop();
    await until('one instance owns everything', async () => (await scene.owners()).every((owner) => owner === staying?.name));
    await load.moreEverywhere(60);
    expect(await epochs()).toEqual(before.map((epoch, partition) => epoch + ((joined[partition] ?? 0n) - epoch) * 2n));
    expect(load.unexpected).toEqual([]);
    // Whatever the machine does meanwhile: each hand-over found what was prepared for it, and nothing was loaded while callers waited.
    const said = command.flatMap(({ name }) => lines.of(name));
    for (const detour of DETOURS) expect(said.filter((line) => line.includes(detour))).toEqual([]);
  },
);
