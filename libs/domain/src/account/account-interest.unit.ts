/** Interest of an account over business dates: each day accrues once, and what is booked is what the formula gives. */
import fc from 'fast-check';
import { addMonths, dateFromText, daysBetween, isEndOfMonth, NOTHING_ACCRUED, type CalendarDate } from '../day';
import { Exact, interestByFormula, interestTerms } from '../test/interest-by-formula';
import { INT64_MAX, INT64_MIN, NO_LIMITS, type Account } from './account';
import { accrueOnce, decideInterest, NOTHING_EARNED, type InterestOfAccount } from './account-interest';
import { evolveAccount } from './lifecycle';
import { applyPosting } from './posting';

const on = (text: string): CalendarDate => dateFromText(text) as CalendarDate;

function account(changes: Partial<Account> = {}): Account {
  const opening = { kind: 'opened', accountId: 'a', unit: 'CZK', branchId: '55', product: 'savings', limits: NO_LIMITS, signingKeyId: '' } as const;
  return { ...evolveAccount(undefined, opening, 1), ...changes };
}

const accrued = (microMinor: bigint) => ({ microMinor, remainder: 0n });
const strict = { overdraftMinor: 0n, maximumBalanceMinor: 1n, maximumPostingMinor: 1n, allowedTypes: ['HOLD'] } as const;

test.each`
  state                                                                    | microMinor     | outcome
  ${{ balanceMinor: 100n }}                                                | ${2_400_000n}  | ${102n}
  ${{ balanceMinor: 100n }}                                                | ${400_000n}    | ${'nothing'}
  ${{ balanceMinor: 100n, status: 'FROZEN', limits: strict }}              | ${2_000_000n}  | ${102n}
  ${{ balanceMinor: 1n, heldMinor: 1n, status: 'FROZEN', limits: strict }} | ${-2_000_000n} | ${-1n}
  ${{ status: 'CLOSED' }}                                                  | ${2_000_000n}  | ${'2 lapse'}
  ${{ status: 'CLOSED' }}                                                  | ${400_000n}    | ${'nothing'}
  ${{ balanceMinor: INT64_MAX - 1n }}                                      | ${1_000_000n}  | ${INT64_MAX}
  ${{ balanceMinor: INT64_MAX - 1n }}                                      | ${2_000_000n}  | ${'AMOUNT_OVERFLOW'}
  ${{ balanceMinor: 0n, inTransitMinor: INT64_MAX }}                       | ${1_000_000n}  | ${'AMOUNT_OVERFLOW'}
  ${{ balanceMinor: INT64_MIN }}                                           | ${-1_000_000n} | ${'AMOUNT_OVERFLOW'}
`('an account with $state books $microMinor: $outcome', ({ state, microMinor, outcome }: { state: Partial<Account>; microMinor: bigint; outcome: unknown }) => {
  const booked = decideInterest(account(state), accrued(microMinor));
  if (!booked.accepted) {
    expect(booked.fault).toBe(outcome);
    return;
  }
  const { amountMinor, posting, accrued: left, lapsedMinor } = booked;
  expect(lapsedMinor === 0n ? (posting?.balanceAfterMinor ?? 'nothing') : `${lapsedMinor} lapse`).toBe(outcome);
  if (lapsedMinor === 0n) expect(left.microMinor + amountMinor * 1_000_000n).toBe(microMinor);
  else expect([amountMinor, left]).toEqual([0n, NOTHING_ACCRUED]);
});

test('a day accrues once: what comes again, or overlaps, adds only the days that are new', () => {
  const terms = { dayCount: 'ACT_365', tiers: [{ fromMinor: 0n, basisPoints: 365 }], debitBasisPoints: 0 } as const;
  const accrue = (interest: InterestOfAccount, from: string, to: string) => accrueOnce(interest, terms, 10_000n, on(from), on(to)) as InterestOfAccount;
  const weekend = accrue(NOTHING_EARNED, '1996-02-23', '1996-02-26');
  expect(weekend).toEqual({ accrued: accrued(3_000_000n), accruedTo: on('1996-02-26') });
  expect(accrue(weekend, '1996-02-23', '1996-02-26')).toBe(weekend);
  expect(accrue(weekend, '1996-02-20', '1996-02-23')).toBe(weekend);
  expect(accrue(weekend, '1996-02-25', '1996-02-27')).toEqual({ accrued: accrued(4_000_000n), accruedTo: on('1996-02-27') });
  expect(accrue(weekend, '1996-02-29', '1996-03-01').accrued).toEqual(accrued(4_000_000n));
});

test('what cannot be counted is refused, and nothing accrues', () => {
  const terms = { dayCount: 'ACT_360', tiers: [{ fromMinor: 0n, basisPoints: 100_000 }], debitBasisPoints: 100_000 } as const;
  for (const balance of [INT64_MAX, INT64_MIN]) expect(accrueOnce(NOTHING_EARNED, terms, balance, 0, 1)).toEqual({ accepted: false, fault: 'AMOUNT_OVERFLOW' });
});

/** Business dates over leap years and month ends: mostly a day apart. */
const businessDates = fc
  .tuple(
    fc.constantFrom('1995-12-29', '1996-02-23', '1999-12-30', '2000-02-25', '1997-02-26'),
    fc.array(fc.constantFrom(1, 1, 1, 1, 3, 4), { minLength: 1, maxLength: 40 }),
  )
  .map(([first, gaps]) => gaps.reduce((dates, gap) => [...dates, (dates.at(-1) as number) + gap], [on(first)]));

test('what is booked and what stays accrued is the sum of the formula over the closing balances, with interest on interest', () => {
  fc.assert(
    fc.property(
      interestTerms,
      businessDates,
      fc.array(fc.bigInt(-(10n ** 10n), 10n ** 10n), { minLength: 41, maxLength: 41 }),
      fc.boolean(),
      (terms, dates, moves, monthly) => {
        const state = account();
        let interest: InterestOfAccount = NOTHING_EARNED;
        let booked = 0n;
        let expected = new Exact(0);
        for (let at = 0; at + 1 < dates.length; at += 1) {
          const [date, next] = [dates[at] as number, dates[at + 1] as number];
          state.balanceMinor += moves[at] as bigint;
          expected = expected.plus(interestByFormula(terms, state.balanceMinor, daysBetween(terms.dayCount, date, next)));
          for (let again = 0; again < 2; again += 1) interest = accrueOnce(interest, terms, state.balanceMinor, date, next) as InterestOfAccount;
          if (monthly && !isEndOfMonth(date) && next < addMonths(date, 1)) continue;
          const decision = decideInterest(state, interest.accrued);
          if (!decision.accepted) throw new Error(decision.fault);
          if (decision.posting !== undefined) applyPosting(state, decision.posting, 2);
          booked += decision.amountMinor;
          interest = { ...interest, accrued: decision.accrued };
        }
        const exact = expected
          .times(1_000_000)
          .minus(interest.accrued.microMinor.toString())
          .minus((booked * 1_000_000n).toString());
        expect(exact.abs().lessThan(1)).toBe(true);
        expect(interest.accruedTo).toBe(dates.at(-1));
        expect(state.balanceMinor).toBe(moves.slice(0, dates.length - 1).reduce((sum, move) => sum + move, booked));
      },
    ),
    { numRuns: 80 },
  );
});

test('an account that earned nothing has accrued nothing', () => {
  expect(NOTHING_EARNED.accrued).toBe(NOTHING_ACCRUED);
});
