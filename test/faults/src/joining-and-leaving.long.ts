import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { haveServer, type RunningServer, startMongo } from '@sluice/infra';
import { until } from '@sluice/judged-load';
import { evenlySpread, PARTITIONS, testFault } from './harness/under-load';

const ACCOUNTS = Number(process.env['SLUICE_TEST_JOINING_ACCOUNTS'] ?? '100000');

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

/** The read store has a server of its own: the stand-in for MongoDB is one process, and the log is not to wait for the projector's writes. */
let readStore: RunningServer | undefined;
let folder: string | undefined;
beforeAll(async () => {
  if (!haveServer('mongodb')) return;
  folder = await mkdtemp(join(tmpdir(), 'sluice-joining-'));
  readStore = await startMongo({ dataDir: folder, external: false });
});
afterAll(async () => {
  await readStore?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

testFault(
  `an instance joins and leaves owners of ${ACCOUNTS} accounts: every partition changes hands once each time`,
  // The projector is seconds behind with so many accounts; it only reads the log here.
  { judged: false, counts: { query: 0 }, environmentOf: () => ({ SLUICE_READ_URL: readStore?.url ?? '' }) },
  async (scene) => {
    const { command, projector, calls, load, gaps, lines } = scene;
    const [staying, joining] = command;
    await joining?.stop();
    await load.openIdle(ACCOUNTS);
    await load.moreEverywhere(20);
    // By the log alone: what the projector says of itself needs the read store.
    const epochs = (): Promise<bigint[]> =>
      Promise.all(Array.from({ length: PARTITIONS }, async (_, partition) => (await calls.epochs(projector[0]?.address ?? '', partition)).at(-1) ?? 0n));
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
