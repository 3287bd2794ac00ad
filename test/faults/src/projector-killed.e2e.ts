import { until } from '@sluice/judged-load';
import { MongodbGate, type MongodbCommand } from './harness/mongodb-gate';
import { type Fault, testFaults } from './harness/under-load';

const VICTIM = 'projector-1';
const isWriteTo =
  (written: string) =>
  ({ name, collection }: MongodbCommand): boolean =>
    // The name of a copy stands before it, the format of the rows behind it.
    ['insert', 'update', 'delete'].includes(name) && new RegExp(`_${written}(_\\d+)?$`).test(collection);

let mongodbPort = 0;
let gate: MongodbGate;
beforeAll(async () => {
  gate = await MongodbGate.open(() => mongodbPort);
});
afterAll(() => gate.end());

/** A batch is written in this order: entry segments, accounts, the checkpoint. */
const STEPS = [
  { step: 'before the entries of a batch are written', collection: 'entry_segments' },
  { step: 'after the entries, before the accounts', collection: 'accounts' },
  { step: 'after entries and accounts, before the checkpoint', collection: 'checkpoints' },
];

const killedAt = ({ step, collection }: (typeof STEPS)[number]): Fault => ({
  name: `kill -9 of a projector ${step}: the other one takes its partitions over, and every commit is projected once`,
  run: async ({ load, projector, calls }) => {
    const victim = projector.find(({ name }) => name === VICTIM);
    const other = projector.find(({ name }) => name !== VICTIM);
    await until('both project', async () => (await calls.projectionStatus(victim?.address ?? '')).partitions.some(({ heldHere }) => heldHere));
    await load.more(200);
    await gate.closeAt(isWriteTo(collection));
    await victim?.kill();
    await until('the other one projects every partition', async () => {
      const { partitions } = await calls.projectionStatus(other?.address ?? '');
      return partitions.every(({ heldHere }) => heldHere);
    });
    await load.moreEverywhere(40);
    gate.reopen();
    await victim?.start();
    await victim?.untilServing();
  },
});

testFaults(
  {
    counts: { projector: 2 },
    environmentOf: (name, { mongodb }): Record<string, string> => {
      const url = new URL(mongodb.url);
      mongodbPort = Number(url.port);
      url.port = String(gate.port);
      return name === VICTIM ? { SLUICE_READ_URL: url.href } : {};
    },
  },
  STEPS.map(killedAt),
);
