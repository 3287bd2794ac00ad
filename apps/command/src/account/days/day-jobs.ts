/**
 * What the jobs of an end of day ask of the accounts of a partition, by deliveries (protos/sluice/log/v1/days.proto): how many transfers of the date are on their way, the end of terms,
 * interest, and the totals. Each delivery is decided once, whoever delivers it again, so a step has one verdict.
 */
import type { CalendarDate } from '@sluice/domain/day';
import type { InternalVerdict, Turn } from '@sluice/engine';
import { logpb } from '@sluice/protocol';
import type { accountpb } from '@sluice/protocol/account';
import type { AccountTable } from '../account-table';
import type { PostingDecisions } from '../posting-decisions';
import type { AccountDays } from './account-days';
import { existing, ordinalOf, read, type Decide } from './day-commands';
import { TERM_ENDED } from './day-columns';
import { InterestJob } from './interest-job';
import { JobAccounts } from './job-accounts';
import { TermJob } from './term-job';
import { termsByProduct, type TermsOfProduct } from './terms-on-the-wire';
import { totalAccounts } from './totals-job';

export function dayJobs(table: AccountTable, days: AccountDays, postings: PostingDecisions): readonly (readonly [method: string, decide: Decide])[] {
  const accounts = new JobAccounts(table, days, postings);
  return [
    ['CountOutstanding', (_turn, command) => read(logpb.CountOutstanding, command, ({ branchId, date }) => outstanding(days, branchId, date))],
    [
      'MatureAccounts',
      (turn, command) =>
        read(logpb.MatureAccounts, command, (asked) => byTerms(asked.terms, (terms) => new TermJob(accounts, asked, terms, begun(turn)).run())),
    ],
    [
      'AccrueInterest',
      (turn, command) =>
        read(logpb.AccrueInterest, command, (asked) => byTerms(asked.terms, (terms) => new InterestJob(accounts, asked, terms, begun(turn)).run())),
    ],
    ['TotalAccounts', (turn, command) => read(logpb.TotalAccounts, command, (asked) => done(totalAccounts(accounts, turn, asked)))],
  ];

  /** What was gathered before is written. */
  function begun(turn: Turn): Turn {
    postings.begin(turn);
    return turn;
  }
}

function done(payload: Uint8Array): InternalVerdict {
  return { kind: 'accepted', payload };
}

function byTerms(terms: readonly logpb.ProductTerms[], decide: (terms: ReadonlyMap<string, TermsOfProduct>) => Uint8Array): InternalVerdict {
  const byProduct = termsByProduct(terms);
  return typeof byProduct === 'string' ? { kind: 'undecidable', reason: byProduct } : done(decide(byProduct));
}

/** A branch that has not cut the day of the date yet may still debit transfers of it: those are outgoing of a day that is not over, and are not waited for. */
function outstanding(days: AccountDays, branchId: string, date: CalendarDate): InternalVerdict {
  let count = 0;
  for (const branch of days.datedBranches) if (branch.branchId === branchId || branch.onlineDate > date) count += branch.outgoingUntil(date);
  return done(logpb.OutstandingCount.encode({ count: BigInt(count) }).finish());
}

// ---- the log ----

/** Account by account: ten thousand of them would block the event loop. */
export function* takeInterestAccrued(table: AccountTable, { columns }: AccountDays, { nextDate, accounts }: accountpb.InterestAccrued): Generator<number> {
  for (const { accountId, microMinor, remainder } of accounts) {
    const ordinal = ordinalOf(table, accountId);
    columns.accrued[ordinal] = microMinor;
    columns.accruedRemainders[ordinal] = Number(remainder);
    columns.accruedUntil[ordinal] = Math.max(nextDate, columns.accruedUntil[ordinal] as number);
    yield accountId.length + 16;
  }
}

export function takeTermBegun(table: AccountTable, { columns }: AccountDays, { accountId, untilDate }: accountpb.TermBegun): undefined {
  columns.termUntil[ordinalOf(table, accountId)] = untilDate;
}

export function takeTermEnded(table: AccountTable, { columns }: AccountDays, { accountId }: accountpb.TermEnded): undefined {
  columns.termUntil[ordinalOf(table, accountId)] = TERM_ENDED;
}

export function takeBranchDayTotalled(days: AccountDays, { branchId, date }: accountpb.BranchDayTotalled): undefined {
  existing(days, branchId).totalled(date);
}
