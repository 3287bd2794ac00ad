/** Several accounts read while a projector writes them row by row, as on a store without transactions. */
import { NO_LIMITS, type PostingType } from '@sluice/domain/account';
import { MemoryReadStore } from '@sluice/memory';
import type { ProjectedBatch, ReadCopy } from '@sluice/ports';
import { readCommit } from '@sluice/protocol';
import { AccountHistory, type HistoryCommand } from '@sluice/testing';
import * as fc from 'fast-check';
import { projectionId, READ_COLLECTIONS } from '../index';
import { PartitionFold } from '../partition-fold';
import { TornReadError } from '../torn-read';
import { accountProjection } from './account-projection';
import { readAccountsOfOneMoment } from './accounts-of-one-moment';

const IDENTITY = { incarnation: 'ab'.repeat(16), partitions: 1 };
const PROJECTION = projectionId(accountProjection);
const IDS = ['alice', 'bob', 'carol'];

function open(accountId: string): HistoryCommand {
  const limits = { ...NO_LIMITS, overdraftMinor: 1_000n };
  const command = { kind: 'open' as const, accountId, unit: 'EUR', branchId: '', product: '', limits, signingKeyId: '' };
  return { kind: 'account', accountId, requestId: `open-${accountId}`, command };
}

/** Commits that each leave the sum of the balances at 0; carol is opened by one of the last. */
function balancedHistory(): AccountHistory {
  const history = new AccountHistory({ incarnation: IDENTITY.incarnation, partition: 0 });
  let requests = 0;
  const post = (accountId: string, type: PostingType, amountMinor: bigint): HistoryCommand => {
    requests += 1;
    return { kind: 'post', accountId, posting: { requestId: `request-${requests}`, type, amountMinor, unit: 'EUR', holdId: '', final: false } };
  };
  const freeze: HistoryCommand = { kind: 'account', accountId: 'bob', requestId: 'freeze', command: { kind: 'freeze', note: '' } };
  history.turn([open('alice'), open('bob')], 1);
  history.turn([post('alice', 'CREDIT', 5n), post('bob', 'DEBIT', 5n)], 2);
  history.turn([post('alice', 'DEBIT', 7n), post('bob', 'CREDIT', 7n), freeze], 3);
  history.turn([open('carol'), post('alice', 'CREDIT', 9n), post('carol', 'DEBIT', 9n)], 4);
  return history;
}

/** A projector that writes one row, or moves the checkpoint, per step. */
class SteppingProjector {
  private constructor(private readonly todo: (() => Promise<void>)[]) {}

  /** Its first commit, which opens accounts, is written already. */
  static async over(copy: ReadCopy): Promise<SteppingProjector> {
    const todo: (() => Promise<void>)[] = [];
    const fold = new PartitionFold(0, [accountProjection], new Map(), 10);
    for (const { bytes, sequence } of balancedHistory().commits) {
      fold.take(readCommit(bytes));
      // The fold remembers its accounts.
      fold.missing();
      const { batch } = fold.project(new Map(), `attempt-${sequence}`);
      if (sequence === 1) await copy.apply(batch);
      else todo.push(...stepsOf(copy, batch));
    }
    return new SteppingProjector(todo);
  }

  async step(count: number): Promise<void> {
    for (const one of this.todo.splice(0, count)) await one();
  }
}

function stepsOf(copy: ReadCopy, batch: ProjectedBatch): (() => Promise<void>)[] {
  const { previousSequence } = batch;
  return [
    ...batch.writes.map((write) => () => copy.apply({ ...batch, sequence: previousSequence, writes: [write] })),
    () => copy.apply({ ...batch, writes: [] }),
  ];
}

/** The copy; before each read the projector makes as many steps as the plan says. */
function steppedCopy(copy: ReadCopy, projector: SteppingProjector, plan: readonly number[]): ReadCopy {
  let reads = 0;
  const step = (): Promise<void> => projector.step(plan[reads++] ?? 0);
  return {
    name: copy.name,
    get: (...asked) => copy.get(...asked),
    getMany: async (...asked) => {
      await step();
      return copy.getMany(...asked);
    },
    find: (...asked) => copy.find(...asked),
    apply: (batch) => copy.apply(batch),
    checkpoints: async () => {
      await step();
      return copy.checkpoints();
    },
  };
}

async function newCopy(): Promise<ReadCopy> {
  return new MemoryReadStore({ collections: READ_COLLECTIONS, identity: IDENTITY }).current();
}

const sumOf = (snapshots: Awaited<ReturnType<typeof readAccountsOfOneMoment>>): bigint =>
  snapshots.reduce((sum, snapshot) => sum + (snapshot?.account.balanceMinor ?? 0n), 0n);

test('whatever the projector writes between two reads, the accounts of a partition are of one moment', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(4), { maxLength: 12 }), async (plan) => {
      const copy = await newCopy();
      const projector = await SteppingProjector.over(copy);
      const stepped = steppedCopy(copy, projector, plan);
      const snapshots = await readAccountsOfOneMoment({ copy: stepped, projection: PROJECTION, partitions: 1 }, IDS, () => projector.step(3));
      expect(sumOf(snapshots)).toBe(0n);
    }),
    { numRuns: 500 },
  );
});

test('accounts of which a projector has written one and not the other are not answered', async () => {
  const copy = await newCopy();
  const projector = await SteppingProjector.over(copy);
  const scope = { copy, projection: PROJECTION, partitions: 1 };
  expect(sumOf(await readAccountsOfOneMoment(scope, IDS))).toBe(0n);
  // The segment of both, then the row of the first.
  await projector.step(2);
  await expect(readAccountsOfOneMoment(scope, IDS)).rejects.toThrow(TornReadError);
  // Each on its own is whole.
  expect((await readAccountsOfOneMoment(scope, ['alice']))[0]?.account.balanceMinor).toBe(5n);
  expect((await readAccountsOfOneMoment(scope, ['bob']))[0]?.account.balanceMinor).toBe(0n);
});

test('the answer is in the order of the ids, with what is not there and what is asked for twice', async () => {
  const copy = await newCopy();
  await SteppingProjector.over(copy);
  const snapshots = await readAccountsOfOneMoment({ copy, projection: PROJECTION, partitions: 1 }, ['bob', 'nobody', 'alice', 'bob']);
  expect(snapshots.map((snapshot) => snapshot?.account.accountId)).toEqual(['bob', undefined, 'alice', 'bob']);
});
