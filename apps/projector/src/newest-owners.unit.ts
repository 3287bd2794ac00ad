/** Who owns a partition, as its log says. */
import type { CommitRecord, EventLog } from '@sluice/ports';
import { CommitWriter, logEvents, NO_CHECKSUM } from '@sluice/protocol';
import { NewestOwners } from './newest-owners';

/** The log of a partition whose commits have these epochs, in their order; each epoch begins with its owner. Reads are counted. */
class LogOfEpochs {
  readonly records: CommitRecord[] = [];
  reads = 0;

  add(epoch: number, commits: number): this {
    for (let commit = 0; commit < commits; commit += 1) {
      const sequence = this.records.length + 1;
      const writer = new CommitWriter();
      writer.begin({ incarnation: Buffer.alloc(16), partition: 0, sequence, epoch, committedAtUs: 1, previousChecksum: NO_CHECKSUM }, []);
      const { type, version, payload } = logEvents.record('OwnershipTaken', { epoch: BigInt(epoch), owner: `owner ${epoch}` });
      if (commit === 0) writer.event(type, version, payload);
      this.records.push({ partition: 0, sequence, bytes: writer.finish() });
    }
    return this;
  }

  readonly log = {
    head: async () => this.records.at(-1),
    read: async (_partition: number, from: number) => {
      this.reads += 1;
      return this.records.slice(from - 1, from);
    },
  } as Pick<EventLog, 'head' | 'read'> as EventLog;
}

test.each`
  epochs                              | epoch | owner
  ${[]}                               | ${0}  | ${''}
  ${[[1, 1]]}                         | ${1}  | ${'owner 1'}
  ${[[1, 7]]}                         | ${1}  | ${'owner 1'}
  ${[[1, 3], [2, 1]]}                 | ${2}  | ${'owner 2'}
  ${[[1, 3], [2, 2], [5, 4]]}         | ${5}  | ${'owner 5'}
  ${[[1, 1], [2, 1], [3, 1], [4, 9]]} | ${4}  | ${'owner 4'}
`('of $epochs it is "$owner"', async ({ epochs, epoch, owner }: { epochs: [number, number][]; epoch: number; owner: string }) => {
  const one = new LogOfEpochs();
  for (const [ofEpoch, commits] of epochs) one.add(ofEpoch, commits);
  expect(await new NewestOwners(one.log).of(0)).toEqual({ epoch, owner });
});

test('the log is halved, and looked through again only when there is another owner', async () => {
  const one = new LogOfEpochs().add(1, 300).add(2, 700);
  const owners = new NewestOwners(one.log);
  await owners.of(0);
  expect(one.reads).toBeLessThanOrEqual(10);
  const { reads } = one;
  one.add(2, 1);
  await owners.of(0);
  expect(one.reads).toBe(reads);
  one.add(3, 2);
  expect(await owners.of(0)).toEqual({ epoch: 3, owner: 'owner 3' });
  expect(one.reads).toBeGreaterThan(reads);
});
