/**
 * Postings, transfers between partitions and branches, and the steps of an end of day in every interleaving: cuts that reach the partitions at different times, legs
 * that come behind a cut or ahead of it, sweeps and totals between postings, memory that is read again from the log or from a snapshot at any moment.
 */
import { ROLL_POLICIES, textOfDate } from '@sluice/domain/day';
import { accountpb } from '@sluice/protocol/account';
import * as fc from 'fast-check';
import { AccountsWithDays } from '../../test/accounts-with-days';
import type { AccountModel } from '../../test/dated-postings-model';

const { POSTING_TYPE_CREDIT: CREDIT, POSTING_TYPE_DEBIT: DEBIT, POSTING_TYPE_HOLD: HOLD } = accountpb.PostingType;
const PARTITIONS = 2;
const BRANCHES = ['north', 'south'];
/** One account of each branch, and of none, in each partition. */
const ACCOUNTS = (BRANCHES.length + 1) * PARTITIONS;
/** The first online date of the first branch. */
const FIRST = 9_000;

interface Item {
  readonly branch: number;
  /** Negative: a DEBIT; 0: a HOLD of 1. */
  readonly amount: number;
  /** Days from the first online date; undefined: the caller says nothing. */
  readonly initiated: number | undefined;
}

type Step =
  | { readonly kind: 'postings'; readonly partition: number; readonly items: readonly Item[]; readonly atomic: boolean }
  | { readonly kind: 'transfers'; readonly from: number; readonly to: readonly number[]; readonly amount: number }
  | { readonly kind: 'deliver' | 'settle'; readonly pick: number }
  | { readonly kind: 'day'; readonly branch: number; readonly partition: number; readonly holiday: boolean }
  | { readonly kind: 'freeze' | 'unfreeze'; readonly account: number }
  | { readonly kind: 'product'; readonly account: number }
  | { readonly kind: 'replay' | 'restore' };

const account = fc.nat({ max: ACCOUNTS - 1 });
const partition = fc.nat({ max: PARTITIONS - 1 });
const pick = fc.nat({ max: 50 });
const item = fc.record({
  branch: fc.nat({ max: BRANCHES.length }),
  amount: fc.integer({ min: -60, max: 60 }),
  initiated: fc.option(fc.integer({ min: -2, max: 6 }), { nil: undefined, freq: 3 }),
});
const postings = fc.record({ kind: fc.constant('postings' as const), partition, items: fc.array(item, { minLength: 1, maxLength: 6 }), atomic: fc.boolean() });
const transfers = fc.record({
  kind: fc.constant('transfers' as const),
  from: account,
  to: fc.array(account, { minLength: 1, maxLength: 4 }),
  amount: fc.integer({ min: 1, max: 50 }),
});
const day = fc.record({ kind: fc.constant('day' as const), branch: fc.nat({ max: BRANCHES.length - 1 }), partition, holiday: fc.boolean() });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: postings },
    { weight: 5, arbitrary: transfers },
    { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('deliver' as const, 'settle' as const), pick }) },
    { weight: 9, arbitrary: day },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('freeze' as const, 'unfreeze' as const), account }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('product' as const), account }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('replay' as const, 'restore' as const) }) },
  ),
  { minLength: 20, maxLength: 90 },
);

/** @param number of the step: request ids are made of it. */
function run(world: AccountsWithDays, step: Step, number: number): void {
  const modelAt = (at: number): AccountModel => world.models[at] as AccountModel;
  switch (step.kind) {
    case 'postings':
      return world.posts(
        step.items.map(({ branch, amount, initiated }, at) => ({
          requestId: `r${number}-${at}`,
          accountId: modelAt(branch * PARTITIONS + step.partition).accountId,
          type: amount < 0 ? DEBIT : amount === 0 ? HOLD : CREDIT,
          amountMinor: BigInt(Math.abs(amount) || 1),
          initiatedDate: initiated === undefined ? '' : textOfDate(FIRST + initiated),
        })),
        step.atomic,
      );
    case 'transfers':
      return world.transfers(
        modelAt(step.from),
        step.to.map((to, at) => ({ requestId: `r${number}-${at}`, to: modelAt(to), amountMinor: BigInt(step.amount) })),
      );
    case 'deliver':
      return world.deliver(step.pick);
    case 'settle':
      return world.settle(step.pick);
    case 'day':
      return world.goOn(step.branch, step.partition, step.holiday);
    case 'product':
      return world.change((accounts) => accounts.updateWith(modelAt(step.account).accountId, { product: `product ${number}` }));
    case 'freeze':
    case 'unfreeze':
      return world.change((accounts) => accounts.change(step.kind, modelAt(step.account).accountId));
    case 'replay':
      return world.startAgain((accounts) => accounts.replayAll());
    case 'restore':
      return world.startAgain((accounts) => accounts.restoreAll());
    default:
      throw new Error(`unreachable: ${JSON.stringify(step satisfies never)}`);
  }
}

test('both balances, closing balances, lines and what is on its way are those of the model in every interleaving, and no caller gets another answer', () => {
  fc.assert(
    fc.property(fc.tuple(fc.constantFrom(...ROLL_POLICIES), fc.constantFrom(...ROLL_POLICIES)), steps, (policies, history) => {
      // The branches differ in their dates.
      const branches = BRANCHES.map((branchId, at) => ({ branchId, first: FIRST + at, rollPolicy: policies[at] ?? 'BEFORE_POSTING' }));
      const world = new AccountsWithDays(PARTITIONS, branches);
      for (const [number, step] of history.entries()) {
        run(world, step, number);
        world.check();
      }
      world.finish();
      world.startAgain((accounts) => accounts.replayAll());
      world.startAgain((accounts) => accounts.restoreAll());
    }),
    { numRuns: 60 },
  );
});
