/**
 * Ends of days in steps of any size, with callers between them, and partitions that start again between them: from the log, or from a snapshot. Every account accrues every day once; what
 * accrued is what the formula gives; what closing balances rose by is what was posted.
 */
import { daysBetween, daysOfYear, isEndOfMonth, type CalendarDate, type DayCount } from '@sluice/domain/day';
import { logpb } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import * as fc from 'fast-check';
import { BranchOfAccounts, on } from '../../test/branch-of-accounts';

const ACCOUNTS = 5;
const OVERDRAFT = accountpb.AccountLimits.fromPartial({ overdraftMinor: 10n ** 15n });
const CONVENTIONS: readonly (readonly [logpb.DayCount, DayCount])[] = [
  [logpb.DayCount.DAY_COUNT_ACT_365, 'ACT_365'],
  [logpb.DayCount.DAY_COUNT_ACT_360, 'ACT_360'],
  [logpb.DayCount.DAY_COUNT_30E_360, '30E_360'],
];
/** Common denominator of what a day earns, in millionths of a minor unit. */
const DENOMINATOR = 365n * 360n * 10_000n;

interface Product {
  readonly convention: DayCount;
  readonly terms: logpb.ProductTerms;
  readonly capitalised: 'never' | 'daily' | 'monthly';
}

const basisPoints = fc.integer({ min: 0, max: 30_000 });
const product = fc
  .record({
    convention: fc.constantFrom(...CONVENTIONS),
    rates: fc.tuple(basisPoints, basisPoints),
    tierFrom: fc.bigInt(1n, 10n ** 10n),
    debitBasisPoints: basisPoints,
    capitalised: fc.constantFrom('never' as const, 'daily' as const, 'monthly' as const),
  })
  .map(
    ({
      convention: [dayCount, convention],
      rates,
      tierFrom,
      debitBasisPoints,
      capitalised,
    }): Omit<Product, 'terms'> & { terms: Omit<logpb.ProductTerms, 'productId'> } => ({
      convention,
      capitalised,
      terms: {
        dayCount,
        tiers: [
          { fromMinor: 0n, basisPoints: rates[0] },
          { fromMinor: tierFrom, basisPoints: rates[1] },
        ],
        debitBasisPoints,
        capitalise: false,
        termMonths: 0,
        termDays: 0,
        renews: false,
      },
    }),
  );

/** Over leap years, month ends and holidays. */
const businessDates = fc
  .tuple(
    fc.constantFrom('1995-12-29', '1996-02-27', '1999-12-30', '2000-02-28', '1997-02-26'),
    fc.array(fc.constantFrom(1, 1, 3, 4), { minLength: 2, maxLength: 6 }),
  )
  .map(([first, gaps]) => gaps.reduce((dates, gap) => [...dates, (dates.at(-1) as number) + gap], [on(first)]));

/** Every account has a product of its own, so that totals by product say what it has. */
class Ledger {
  readonly branch = new BranchOfAccounts(2);
  readonly ids: readonly string[];
  readonly products: readonly Product[];
  /** Exact, over the denominator. */
  private readonly earned = Array.from({ length: ACCOUNTS }, () => 0n);

  constructor(products: readonly (Omit<Product, 'terms'> & { terms: Omit<logpb.ProductTerms, 'productId'> })[]) {
    this.ids = products.map((_, at) => this.branch.accounts.idIn(at % 2, `account ${at}`));
    this.products = products.map((each, at) => ({ ...each, terms: { ...each.terms, productId: `product ${at}` } }));
  }

  open(): void {
    for (const [at, id] of this.ids.entries()) this.branch.open(id, `product ${at}`, { limits: OVERDRAFT });
  }

  post(at: number, amountMinor: bigint): void {
    if (amountMinor !== 0n) expect(this.branch.post(this.ids[at] as string, amountMinor)).toBe('accepted');
  }

  termsAt(date: CalendarDate): logpb.ProductTerms[] {
    return this.products.map(({ terms, capitalised }) => ({
      ...terms,
      capitalise: capitalised === 'daily' || (capitalised === 'monthly' && isEndOfMonth(date)),
    }));
  }

  /** By account: what was booked as interest at dates up to this one. */
  bookedUntil(date: CalendarDate): bigint[] {
    const text = new Date(date * 86_400_000).toISOString().slice(0, 10);
    const booked = this.ids.map(() => 0n);
    for (const { accountId, type, amountMinor, interest, initiatedDate } of this.branch.postings) {
      if (!interest || initiatedDate > text) continue;
      (booked[this.ids.indexOf(accountId)] as bigint) += type === accountpb.PostingType.POSTING_TYPE_DEBIT ? -amountMinor : amountMinor;
    }
    return booked;
  }

  /** By account: its balance at the end of the date, from what callers posted, as it was dated, and what was booked. */
  closingAt(date: CalendarDate): bigint[] {
    const closing = this.bookedUntil(date);
    for (const { accountId, businessDate, requests } of this.branch.recorded) {
      if (businessDate === undefined || businessDate > date) continue;
      for (const { type, amountMinor, interest } of requests?.postings ?? []) {
        if (!interest) (closing[this.ids.indexOf(accountId)] as bigint) += type === accountpb.PostingType.POSTING_TYPE_DEBIT ? -amountMinor : amountMinor;
      }
    }
    return closing;
  }

  /** The balances of a date stood up to the next one. Call before its interest is booked. */
  earn(date: CalendarDate, nextDate: CalendarDate): void {
    for (const [at, balance] of this.closingAt(date).entries()) {
      const { terms, convention } = this.products[at] as Product;
      const weight = BigInt(daysBetween(convention, date, nextDate)) * 1_000_000n * BigInt(convention === 'ACT_365' ? 360 : 365);
      expect(daysOfYear(convention)).toBe(convention === 'ACT_365' ? 365 : 360);
      (this.earned[at] as bigint) += yearly(terms, balance) * weight;
    }
  }

  /** What has accrued and is not booked is what the formula gives, less than a millionth apart. */
  expectAccrued(at: number, accruedMicro: bigint, bookedMinor: bigint): void {
    const apart = (this.earned[at] as bigint) - (accruedMicro + bookedMinor * 1_000_000n) * DENOMINATOR;
    expect(apart < DENOMINATOR && apart > -DENOMINATOR).toBe(true);
  }
}

/** Minor units times basis points that a balance earns in a year. */
function yearly({ tiers: [low, high], debitBasisPoints }: logpb.ProductTerms, balance: bigint): bigint {
  if (balance < 0n) return balance * BigInt(debitBasisPoints);
  if (low === undefined || high === undefined) throw new Error('two tiers are expected');
  const above = balance > high.fromMinor ? balance - high.fromMinor : 0n;
  return (balance - above) * BigInt(low.basisPoints) + above * BigInt(high.basisPoints);
}

const amount = fc.bigInt(-(10n ** 12n), 10n ** 12n);
const between = fc.constantFrom('nothing', 'nothing', 'post', 'replay', 'restore', 'again');

test('interest accrues once for each day, to the millionth, and closing balances rise by what was posted, in steps of any size and over any restart', () => {
  fc.assert(
    fc.property(
      fc.tuple(product, product, product, product, product),
      businessDates,
      fc.array(amount, { minLength: 40, maxLength: 40 }),
      fc.array(fc.tuple(between, fc.integer({ min: 1, max: 4 })), { minLength: 8, maxLength: 24 }),
      fc.constantFrom(logpb.RollPolicy.ROLL_POLICY_BEFORE_POSTING, logpb.RollPolicy.ROLL_POLICY_AFTER_POSTING),
      (products, dates, amounts, moves, rollPolicy) => {
        const ledger = new Ledger(products);
        const { branch } = ledger;
        branch.rollPolicy = rollPolicy;
        branch.setDay(dates[0] as number, (dates[0] as number) - 1);
        ledger.open();
        let move = 0;
        const post = (): void => {
          move += 1;
          ledger.post(move % ACCOUNTS, amounts[move % amounts.length] as bigint);
        };
        const next = (): readonly [string, number] => moves[(move += 1) % moves.length] as [string, number];
        for (let day = 0; day + 1 < dates.length; day += 1) {
          const [date, nextDate] = [dates[day] as number, dates[day + 1] as number];
          for (let count = 0; count < 4; count += 1) post();
          branch.setDay(nextDate, date);
          post();
          branch.seal(date);
          const terms = ledger.termsAt(date);
          const interrupt = (method: 'RollAccounts' | 'AccrueInterest') => (): void => {
            const [what, limit] = next();
            if (what === 'post') post();
            else if (what === 'replay') branch.accounts.replayAll();
            else if (what === 'restore') branch.accounts.restoreAll();
            else if (what === 'again') branch.step(move % 2, method, { date, nextDate, terms, limit });
          };
          branch.job('RollAccounts', { date, limit: next()[1] }, interrupt('RollAccounts'));
          ledger.earn(date, nextDate);
          branch.job('AccrueInterest', { date, nextDate, terms, limit: next()[1] }, interrupt('AccrueInterest'));
          const opening = day === 0 ? ledger.ids.map(() => 0n) : ledger.closingAt(dates[day - 1] as number);
          expectTotals(
            ledger,
            date,
            opening,
            branch.job('TotalAccounts', { date, limit: next()[1] }, () => (next()[0] === 'restore' ? branch.accounts.restoreAll() : undefined)),
          );
        }
        for (const accrued of branch.eventsOf('InterestAccrued').map((payload) => accountpb.InterestAccrued.decode(payload)))
          expect(accrued.nextDate).toBeGreaterThan(accrued.date);
        const named = branch.eventsOf('InterestAccrued').flatMap((payload) => {
          const { date, accounts } = accountpb.InterestAccrued.decode(payload);
          return accounts.map(({ accountId }) => `${date} ${accountId}`);
        });
        expect(new Set(named).size).toBe(named.length);
        expect(branch.job('TotalAccounts', { date: dates.at(-2) as number }).flatMap(({ totals }) => totals.filter(({ line }) => line !== 0))).toEqual([]);
      },
    ),
    { numRuns: 25 },
  );
});

function expectTotals(ledger: Ledger, date: CalendarDate, opening: readonly bigint[], verdicts: readonly logpb.DayStepDone[]): void {
  const totals = verdicts.flatMap((verdict) => verdict.totals);
  const booked = ledger.bookedUntil(date);
  const closing = ledger.closingAt(date);
  for (const at of ledger.ids.keys()) {
    const ofAccount = totals.filter(({ product: name }) => name === `product ${at}`);
    const [balance, ...rest] = ofAccount.filter(({ line }) => line === logpb.ContraLine.CONTRA_LINE_UNSPECIFIED);
    expect(rest).toEqual([]);
    expect(BigInt(balance?.balanceMinor ?? 'none')).toBe(closing[at]);
    const movement = ofAccount.reduce((sum, { debitMinor, creditMinor }) => sum + BigInt(creditMinor) - BigInt(debitMinor), 0n);
    expect((opening[at] as bigint) + movement).toBe(closing[at]);
    ledger.expectAccrued(at, BigInt(balance?.accruedMicro ?? 'none'), booked[at] as bigint);
  }
}

/** A deposit that renews, and one that goes to a linked account of another partition; 36.5 % by ACT/365, so that a day's interest is a thousandth. */
const DEPOSIT: logpb.ProductTerms = {
  productId: 'rolling',
  dayCount: logpb.DayCount.DAY_COUNT_ACT_365,
  tiers: [{ fromMinor: 0n, basisPoints: 3_650 }],
  debitBasisPoints: 0,
  capitalise: false,
  termMonths: 0,
  termDays: 0,
  renews: true,
};

test('a term earns the interest of its days on what it began with, whatever the business dates and wherever its last day falls', () => {
  const term = fc.constantFrom({ termMonths: 1 }, { termDays: 1 }, { termDays: 2 }, { termDays: 7 }, { termMonths: 0, termDays: 30 });
  fc.assert(
    fc.property(
      businessDates,
      businessDates,
      term,
      fc.bigInt(10n ** 6n, 10n ** 12n),
      fc.boolean(),
      fc.boolean(),
      (first, more, length, principal, isStageOne, isRestored) => {
        const dates = [...first, ...more.slice(1).map((date) => date - (more[0] as number) + (first.at(-1) as number))];
        const branch = new BranchOfAccounts(2);
        const [rolling, ending, linked] = [branch.accounts.idIn(0, 'rolling'), branch.accounts.idIn(0, 'ending'), branch.accounts.idIn(1, 'linked')];
        const terms = [
          { ...DEPOSIT, ...length },
          { ...DEPOSIT, ...length, productId: 'ending', renews: false },
        ];
        branch.setDay(dates[0] as number, (dates[0] as number) - 1);
        branch.open(rolling, 'rolling');
        branch.open(ending, 'ending', { linkedAccountId: linked });
        branch.open(linked, 'current');
        for (const accountId of [rolling, ending]) expect(branch.post(accountId, principal)).toBe('accepted');
        for (let day = 0; day + 1 < dates.length; day += 1) {
          const [date, nextDate] = [dates[day] as number, dates[day + 1] as number];
          const mature = (): void => {
            branch.job('MatureAccounts', { date, nextDate, terms });
            branch.accounts.deliverAll();
          };
          if (isStageOne) mature();
          branch.setDay(nextDate, date);
          branch.seal(date);
          branch.job('RollAccounts', { date, limit: 1 });
          if (!isStageOne) mature();
          if (isRestored) branch.accounts.restoreAll();
          branch.job('AccrueInterest', { date, nextDate, terms, limit: 1 });
        }
        expectTerms(branch, rolling, principal);
        const [payout] = branch.postings.filter(({ accountId, toAccountId }) => accountId === ending && toAccountId === linked);
        const earned = branch.postings.find(({ accountId, interest }) => accountId === ending && interest);
        if (payout !== undefined) {
          expect(payout.amountMinor).toBe(principal + (earned?.amountMinor ?? 0n));
          expect(branch.accounts.account(linked).balanceMinor).toBe(payout.amountMinor);
          expectTerms(branch, ending, principal);
        }
        expect(branch.accounts.account(ending).balanceMinor).toBe(payout === undefined ? principal : 0n);
      },
    ),
    { numRuns: 40 },
  );
});

/** What is booked at the end of each term, together, is at most half a unit from what the balances earned from one end to the next one. */
function expectTerms(branch: BranchOfAccounts, accountId: string, principal: bigint): void {
  const begun = branch.eventsOf('TermBegun').map((payload) => accountpb.TermBegun.decode(payload));
  const ofAccount = begun.filter((term) => term.accountId === accountId);
  const booked = branch.postings.filter((posting) => posting.accountId === accountId && posting.interest).map(({ amountMinor }) => amountMinor);
  let from = ofAccount[0]?.fromDate ?? 0;
  let balance = principal;
  /** Thousandths. */
  let earned = 0n;
  for (const [at, amount] of booked.entries()) {
    const untilDate = ofAccount[at]?.untilDate ?? 0;
    earned += balance * BigInt(untilDate - from);
    balance += amount;
    const apart = earned - (balance - principal) * 1_000n;
    expect(apart <= 501n && apart >= -501n).toBe(true);
    from = untilDate;
  }
  expect(booked.length).toBeGreaterThanOrEqual(ofAccount.length - 1);
}
