import { until } from '@sluice/judged-load';
import { LinkedDeployment } from '../harness/linked-deployment';
import type { MongodbCommand } from '../harness/mongodb-gate';
import type { Fault } from '../harness/under-load';

const VICTIM = LinkedDeployment.GATED_PROJECTOR;
const isWriteTo =
  (written: string) =>
  ({ name, collection }: MongodbCommand): boolean =>
    // The name of a copy stands before it, the format of the rows behind it.
    ['insert', 'update', 'delete'].includes(name) && new RegExp(`_${written}(_\\d+)?$`).test(collection);

/** A batch is written in this order: entry segments, accounts, the checkpoint. */
const STEPS = [
  { step: 'before the entries of a batch are written', collection: 'entry_segments' },
  { step: 'after the entries, before the accounts', collection: 'accounts' },
  { step: 'after entries and accounts, before the checkpoint', collection: 'checkpoints' },
];

const killedAt = (links: LinkedDeployment, { step, collection }: (typeof STEPS)[number]): Fault => ({
  name: `kill -9 of a projector ${step}: the other one takes its partitions over, and every commit is projected once`,
  run: async ({ load, projector, calls }) => {
    const victim = projector.find(({ name }) => name === VICTIM);
    const other = projector.find(({ name }) => name !== VICTIM);
    await until('both project', async () => (await calls.projectionStatus(victim?.address ?? '')).partitions.some(({ heldHere }) => heldHere));
    await load.more(200);
    await links.gate.closeAt(isWriteTo(collection));
    await victim?.kill();
    await until('the other one projects every partition', async () => {
      const { partitions } = await calls.projectionStatus(other?.address ?? '');
      return partitions.every(({ heldHere }) => heldHere);
    });
    await load.moreEverywhere(40);
    links.gate.reopen();
    await victim?.start();
    await victim?.untilServing();
  },
});

export function projectorKilledAtEachStep(links: LinkedDeployment): Fault[] {
  return STEPS.map((step) => killedAt(links, step));
}
