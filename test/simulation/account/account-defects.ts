/** Defects of deciding, answering, remembering and projecting. */
import { AccountFunds } from '../../../apps/command/src/account/account-funds';
import { AccountState } from '../../../apps/command/src/account/account-state';
import { AccountTransfers } from '../../../apps/command/src/account/account-transfers';
import { AccountDays } from '../../../apps/command/src/account/days/account-days';
import { GroupDay } from '../../../apps/command/src/account/days/group-day';
import { PostingDecisions } from '../../../apps/command/src/account/posting-decisions';
import { Freshness } from '../../../apps/query/src/freshness';
import { PositionTracker } from '../../../libs/client/src/position-tracker';
import { RequestIndex } from '../../../libs/engine/src/request-index/request-index';
import { RequestSubmission } from '../../../libs/engine/src/requests/request-submission';
import { PartitionFold } from '@sluice/projections';
import type { Defect } from '../defects/defect';
import { replaceMethod } from '../defects/replace-method';

interface Funds {
  pay(turn: unknown, run: readonly unknown[]): unknown[];
}

export const accountDefects = {
  'forget-a-repeat': {
    what: 'The request index forgets one id in ten.',
    foundWithin: 20,
    plant: () =>
      replaceMethod(
        RequestIndex.prototype,
        'add',
        (add) =>
          function (this: RequestIndex, first: number, second: number, sequence: number) {
            if (second % 10 !== 0) add.call(this, first, second, sequence);
          },
      ),
  },
  'forget-old-runs': {
    what: 'The request index does not look at what it has on disk.',
    foundWithin: 40,
    plant: () => replaceMethod(RequestIndex.prototype, 'mayBeOld', () => () => false),
  },
  'forget-refusals': {
    what: 'Requests that were refused are not remembered, so that a repeat is decided anew.',
    foundWithin: 20,
    plant: () =>
      replaceMethod(
        PostingDecisions.prototype as never as { remember(...values: unknown[]): void },
        'remember',
        (remember) =>
          function (this: unknown, batch: { outcomes: Int32Array }, index: number, ...rest: never[]) {
            if (batch.outcomes[index] === 1) remember.call(this as never, batch, index, ...rest);
          },
      ),
  },
  'acknowledge-lost-turns': {
    what: 'Requests of a turn that was lost are answered as if they had been done.',
    foundWithin: 100,
    plant: () =>
      replaceMethod(
        RequestSubmission.prototype,
        'fail',
        () =>
          function (this: RequestSubmission) {
            this.settle(1);
          },
      ),
  },
  'answer-repeats-with-today': {
    what: 'A repeat is answered with the balance of now, not with that of the first answer.',
    foundWithin: 20,
    plant: () =>
      replaceMethod(
        AccountState.prototype,
        'answerRepeat',
        (answerRepeat) =>
          async function (this: AccountState, ...values: Parameters<AccountState['answerRepeat']>) {
            const answered = await answerRepeat.apply(this, values);
            const [batch, index] = values;
            if (answered) batch.balancesAfter[index] = (batch.balancesAfter[index] as bigint) + (index % 2 === 0 ? 1n : 0n);
            return answered;
          },
      ),
  },
  'read-before-the-token': {
    what: 'A read that carries a token is answered from whatever is there.',
    foundWithin: 40,
    plant: () =>
      replaceMethod(
        Freshness.prototype,
        'copyFor',
        (copyFor) =>
          function (this: Freshness, _tokens: unknown, call: Parameters<Freshness['copyFor']>[1]) {
            return copyFor.call(this, { positionToken: '' }, call);
          },
      ),
  },
  'forget-own-writes': {
    what: 'The client library does not remember the tokens of what it wrote, so that its reads do not wait for it.',
    foundWithin: 40,
    plant: () => replaceMethod(PositionTracker.prototype, 'add', () => () => undefined),
  },
  'skip-a-commit': {
    what: 'The projector leaves out one commit in forty.',
    foundWithin: 20,
    plant: () =>
      replaceMethod(
        PartitionFold.prototype,
        'take',
        (take) =>
          function (this: PartitionFold, commit: Parameters<PartitionFold['take']>[0]) {
            if (commit.sequence % 40 !== 17) take.call(this, commit);
          },
      ),
  },
  'pay-funds-twice': {
    what: 'What a capability pays out of its funds is credited twice.',
    foundWithin: 10,
    workload: 'contests',
    plant: () =>
      replaceMethod(
        AccountFunds.prototype as never as Funds,
        'pay',
        (pay) =>
          function (this: Funds, turn: unknown, run: readonly unknown[]) {
            return pay.call(this, turn, [...run, ...run]).slice(0, run.length);
          },
      ),
  },
  'keep-refused-transfers': {
    what: 'A transfer that its target refused is settled, and not given back.',
    foundWithin: 20,
    plant: () =>
      replaceMethod(
        AccountTransfers.prototype,
        'settle',
        (settle) =>
          function (this: AccountTransfers, turn: never, deliveries: Parameters<AccountTransfers['settle']>[1]) {
            const accepted = deliveries.map((delivery) => ({ ...delivery, accepted: true }));
            settle.call(this, turn, accepted);
          },
      ),
  },
  'close-with-the-balance-of-now': {
    what: 'Interest and totals of a closed date take the real-time balance of an account that has postings behind the cut.',
    foundWithin: 10,
    workload: 'business-days',
    plant: () =>
      replaceMethod(
        AccountDays.prototype,
        'closingBalance',
        () =>
          function (this: AccountDays, ordinal: number) {
            return this.day(ordinal).balanceMinor;
          },
      ),
  },
  'date-a-leg-with-its-neighbours': {
    what: 'A leg of a transfer gets the date of the postings of its account that are decided in the same turn.',
    foundWithin: 40,
    workload: 'business-days',
    plant: () => replaceMethod(GroupDay.prototype, 'takes', () => () => true),
  },
} satisfies Record<string, Defect>;
