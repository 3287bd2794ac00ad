/** Terms: when they end, and what an account must be like to end one. */
import { dateFromText, NOTHING_ACCRUED, textOfDate, type CalendarDate } from '../day';
import { INT64_MAX, NO_LIMITS, type Account } from './account';
import { decideTermEnd, renewedTerm, termFrom } from './account-term';
import { evolveAccount } from './lifecycle';

const on = (text: string): CalendarDate => dateFromText(text) as CalendarDate;

test.each`
  from            | months | days  | until
  ${'1996-01-31'} | ${1}   | ${0}  | ${'1996-02-29'}
  ${'1996-02-29'} | ${12}  | ${0}  | ${'1997-02-28'}
  ${'1996-12-30'} | ${0}   | ${30} | ${'1997-01-29'}
  ${'1996-01-31'} | ${1}   | ${1}  | ${'1996-03-01'}
`(
  'a term of $months months and $days days from $from ends at $until',
  ({ from, months, days, until }: { from: string; months: number; days: number; until: string }) => {
    expect(textOfDate(termFrom(on(from), { months, days, renews: false }).untilDate)).toBe(until);
  },
);

test('a term that does not end is none', () => {
  expect(() => termFrom(0, { months: 0, days: 0, renews: true })).toThrow('does not end');
});

test('a renewed term begins where the one before ended; terms that ended over a holiday are passed over', () => {
  const monthly = { months: 1, days: 0, renews: true };
  expect(renewedTerm(on('1996-01-31'), monthly, on('1996-02-01'))).toEqual({ fromDate: on('1996-01-31'), untilDate: on('1996-02-29') });
  expect(renewedTerm(100, { months: 0, days: 1, renews: true }, 104)).toEqual({ fromDate: 103, untilDate: 104 });
});

test('a closed account ends its term with nothing, and what it earned lapses', () => {
  for (const closing of [0n, 1_000n]) {
    const end = decideTermEnd(deposit({ balanceMinor: 0n, status: 'CLOSED' }), closing, ACCRUED);
    expect(end).toEqual({
      accepted: true,
      payoutMinor: 0n,
      payout: undefined,
      interest: { accepted: true, amountMinor: 0n, posting: undefined, accrued: NOTHING_ACCRUED, lapsedMinor: 5n },
    });
  }
});

const ACCRUED = { microMinor: 5_400_000n, remainder: 7n };

function deposit(changes: Partial<Account> = {}): Account {
  const opening = { kind: 'opened', accountId: 'a', unit: 'CZK', branchId: '55', product: 'term', limits: NO_LIMITS, signingKeyId: '' } as const;
  return { ...evolveAccount(undefined, { ...opening, linkedAccountId: 'current' }, 1), balanceMinor: 1_000n, ...changes };
}

const held = { heldMinor: 1n, holds: new Map([['h', 1n]]) };

// One row per check, in their order: each row passes one more than the row above it.
test.each`
  state                                                           | closing    | outcome
  ${{ balanceMinor: INT64_MAX, status: 'FROZEN' }}                | ${-1_000n} | ${'AMOUNT_OVERFLOW'}
  ${{ balanceMinor: -5n, status: 'FROZEN' }}                      | ${-5n}     | ${0n}
  ${{ status: 'FROZEN' }}                                         | ${-1_000n} | ${'ACCOUNT_FROZEN'}
  ${{ ...held }}                                                  | ${-1_000n} | ${'BALANCE_NEGATIVE'}
  ${{ ...held, linkedAccountId: '' }}                             | ${1_000n}  | ${'HOLDS_OPEN'}
  ${{ balanceMinor: 999n, linkedAccountId: '' }}                  | ${1_000n}  | ${'NO_LINKED_ACCOUNT'}
  ${{ balanceMinor: 999n, inTransitMinor: INT64_MAX - 1_004n }}   | ${1_000n}  | ${'CLOSING_BALANCE_TAKEN'}
  ${{ inTransitMinor: INT64_MAX - 1_005n }}                       | ${1_001n}  | ${'CLOSING_BALANCE_TAKEN'}
  ${{ balanceMinor: 1_001n, inTransitMinor: INT64_MAX - 1_006n }} | ${1_001n}  | ${1_006n}
  ${{ limits: { overdraftMinor: 0n, allowedTypes: ['CREDIT'] } }} | ${1_000n}  | ${1_005n}
  ${{ balanceMinor: 1_250n }}                                     | ${1_000n}  | ${1_005n}
`(
  'a deposit with $state that closed at $closing ends its term: $outcome',
  ({ state, closing, outcome }: { state: Partial<Account>; closing: bigint; outcome: unknown }) => {
    const before = deposit(state);
    const end = decideTermEnd(before, closing, ACCRUED);
    expect(end.accepted ? end.payoutMinor : end.fault).toBe(outcome);
    if (!end.accepted) return;
    expect(end.interest).toMatchObject({ amountMinor: 5n, accrued: NOTHING_ACCRUED });
    expect(end.payout?.balanceAfterMinor ?? before.balanceMinor + 5n).toBe(before.balanceMinor + 5n - end.payoutMinor);
  },
);
