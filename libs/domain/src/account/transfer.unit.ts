/** Transfers between two accounts, and holds that expire: the rules, and what holds for every amount. */
import fc from 'fast-check';
import { INT64_MAX, INT64_MIN, NO_LIMITS, type Account, type AccountLimits } from './account';
import { holdExpiry } from './hold-expiry';
import { evolveAccount } from './lifecycle';
import { applyPosting, decidePosting, type Posting } from './posting';
import { beginTransit, decideRefund, decideTransferCredit, decideTransferDebit, endTransit, TRANSFER_TRANSITIONS } from './transfer';
import { decideWholeCapture, decideWholeRelease } from './whole-hold';

function account(changes: Partial<Account> = {}): Account {
  const opening = { kind: 'opened', accountId: 'a', unit: 'EUR', branchId: '', product: '', limits: NO_LIMITS, signingKeyId: '' } as const;
  return { ...evolveAccount(undefined, opening, 1), ...changes };
}

const limits = (changes: Partial<AccountLimits>): AccountLimits => ({ ...NO_LIMITS, ...changes });
const leg = (type: 'DEBIT' | 'CREDIT', amountMinor: bigint): Posting => ({ requestId: 't', type, amountMinor, unit: 'EUR', holdId: '', final: false });

// One row per check, in the order of the checks of a posting: each row passes one more than the row above it.
test.each`
  target                                                                                      | amount | rejection
  ${undefined}                                                                                | ${5n}  | ${'TARGET_NOT_FOUND'}
  ${account({ unit: 'USD', status: 'CLOSED' })}                                               | ${5n}  | ${'TARGET_UNIT_MISMATCH'}
  ${account({ status: 'CLOSED', limits: limits({ allowedTypes: ['DEBIT'] }) })}               | ${5n}  | ${'TARGET_CLOSED'}
  ${account({ limits: limits({ allowedTypes: ['DEBIT'], maximumPostingMinor: 4n }) })}        | ${5n}  | ${'TARGET_TYPE_NOT_ALLOWED'}
  ${account({ limits: limits({ maximumPostingMinor: 4n, maximumBalanceMinor: 4n }) })}        | ${5n}  | ${'TARGET_POSTING_LIMIT_EXCEEDED'}
  ${account({ balanceMinor: INT64_MAX, limits: limits({ maximumBalanceMinor: INT64_MAX }) })} | ${5n}  | ${'TARGET_MAXIMUM_BALANCE_EXCEEDED'}
  ${account({ balanceMinor: INT64_MAX })}                                                     | ${5n}  | ${'TARGET_AMOUNT_OVERFLOW'}
  ${account({ balanceMinor: 1n, inTransitMinor: INT64_MAX - 5n })}                            | ${5n}  | ${'TARGET_AMOUNT_OVERFLOW'}
  ${account({ status: 'FROZEN' })}                                                            | ${5n}  | ${undefined}
`(
  'a target answers a credit with $rejection',
  ({ target, amount, rejection }: { target: Account | undefined; amount: bigint; rejection: string | undefined }) => {
    const decision = decideTransferCredit(target, leg('CREDIT', amount));
    expect(decision.accepted ? undefined : decision.rejection).toBe(rejection);
  },
);

test('what is in transit is bounded, whatever the overdraft', () => {
  const rich = account({ balanceMinor: 0n, inTransitMinor: INT64_MAX - 4n, limits: limits({ overdraftMinor: INT64_MAX }) });
  expect(decideTransferDebit(rich, leg('DEBIT', 4n), true, true)).toMatchObject({ accepted: true });
  expect(decideTransferDebit(rich, leg('DEBIT', 5n), true, true)).toEqual({ accepted: false, rejection: 'AMOUNT_OVERFLOW' });
  expect(decideTransferDebit(rich, leg('DEBIT', 5n), true, false)).toMatchObject({ accepted: true });
});

test.each`
  state         | credited     | refused
  ${'PENDING'}  | ${'SETTLED'} | ${'REFUNDED'}
  ${'SETTLED'}  | ${undefined} | ${undefined}
  ${'REFUNDED'} | ${undefined} | ${undefined}
`('a transfer that is $state goes to $credited or $refused', ({ state, credited, refused }: { state: 'PENDING'; credited?: string; refused?: string }) => {
  expect(TRANSFER_TRANSITIONS[state].credited).toBe(credited);
  expect(TRANSFER_TRANSITIONS[state].refused).toBe(refused);
});

test('a refund passes a freeze and every limit, and never a closed account', () => {
  const strict = account({
    status: 'FROZEN',
    limits: limits({ maximumBalanceMinor: 0n, maximumPostingMinor: 1n, allowedTypes: ['DEBIT'] }),
    inTransitMinor: 9n,
  });
  expect(decideRefund(strict, 9n)).toEqual({ accepted: true, balanceAfterMinor: 9n, heldAfterMinor: 0n });
  expect(() => decideRefund(account({ status: 'CLOSED' }), 9n)).toThrow('closed with transfers in transit');
});

test('more than is in transit is never settled', () => {
  expect(() => endTransit(account({ inTransitMinor: 3n }), 4n)).toThrow('only 3 is in transit');
});

const amount = fc.oneof(fc.bigInt({ min: 1n, max: 200n }), fc.bigInt({ min: INT64_MAX - 200n, max: INT64_MAX }));
test('an account always has room for what may come back to it', () => {
  const moves = fc.array(fc.tuple(fc.constantFrom('credit', 'debit', 'transfer', 'settle', 'refund'), amount), { maxLength: 60 });
  fc.assert(
    fc.property(fc.constantFrom(0n, 100n, INT64_MAX), moves, (overdraftMinor, history) => {
      const state = account({ limits: limits({ overdraftMinor }) });
      const pending: bigint[] = [];
      for (const [what, amountMinor] of history) {
        if (what === 'settle' || what === 'refund') {
          const settled = pending.shift();
          if (settled === undefined) continue;
          if (what === 'refund') applyPosting(state, decideRefund(state, settled), 2);
          endTransit(state, settled);
        } else if (what === 'transfer') {
          const decision = decideTransferDebit(state, leg('DEBIT', amountMinor), true, true);
          if (!decision.accepted) continue;
          applyPosting(state, decision, 2);
          beginTransit(state, amountMinor);
          pending.push(amountMinor);
        } else {
          const decision = decidePosting(state, leg(what === 'credit' ? 'CREDIT' : 'DEBIT', amountMinor), true);
          if (decision.accepted) applyPosting(state, decision, 2);
        }
        expect(state.inTransitMinor).toBe(pending.reduce((sum, each) => sum + each, 0n));
        expect(state.inTransitMinor <= INT64_MAX).toBe(true);
        expect(state.balanceMinor >= INT64_MIN).toBe(true);
        expect(state.balanceMinor + state.inTransitMinor <= INT64_MAX).toBe(true);
      }
    }),
  );
});

describe('a hold that expires', () => {
  const hold: Posting = { requestId: 'h', type: 'HOLD', amountMinor: 30n, unit: 'EUR', holdId: '', final: false, holdExpiresAtUs: 900 };

  test('keeps its time until nothing of it is left', () => {
    const state = account({ balanceMinor: 100n });
    const decision = decidePosting(state, hold, true);
    if (!decision.accepted) throw new Error('the hold was refused');
    applyPosting(state, decision, 2);
    expect(state.holdExpiries).toEqual(new Map([['h', 900]]));
    for (const [amountMinor, left] of [
      [10n, 1],
      [20n, 0],
    ] as const) {
      const release = decidePosting(state, { ...hold, requestId: 'r', type: 'RELEASE', holdId: 'h', amountMinor }, true);
      if (release.accepted) applyPosting(state, release, 3);
      expect(state.holdExpiries.size).toBe(left);
    }
  });

  test('is released through a freeze, allowed types and limits, once', () => {
    const state = account({ balanceMinor: 100n, heldMinor: 30n, holds: new Map([['h', 30n]]), holdExpiries: new Map([['h', 900]]), status: 'FROZEN' });
    state.limits = limits({ allowedTypes: ['CREDIT'], maximumPostingMinor: 1n });
    const expiry = decideWholeRelease(state, 'h');
    expect(expiry).toEqual({ accepted: true, balanceAfterMinor: 100n, heldAfterMinor: 0n, holdId: 'h', holdRemainingMinor: 0n, releasedMinor: 30n });
    if (expiry !== undefined) applyPosting(state, expiry, 4);
    expect(decideWholeRelease(state, 'h')).toBeUndefined();
    expect(state).toMatchObject({ heldMinor: 0n, holds: new Map(), holdExpiries: new Map() });
  });

  test('is captured as a whole through a freeze, allowed types and limits, once, while what is in transit can be counted', () => {
    const state = account({ balanceMinor: 10n, heldMinor: 40n, holds: new Map([['h', 30n]]), status: 'FROZEN', inTransitMinor: INT64_MAX - 29n });
    state.limits = limits({ allowedTypes: ['CREDIT'], maximumPostingMinor: 1n });
    expect(decideWholeCapture(state, 'h')).toEqual({ accepted: false, rejection: 'AMOUNT_OVERFLOW' });
    endTransit(state, 1n);
    const capture = decideWholeCapture(state, 'h');
    expect(capture).toEqual({ accepted: true, balanceAfterMinor: -20n, heldAfterMinor: 10n, holdId: 'h', holdRemainingMinor: 0n });
    if (capture?.accepted === true) applyPosting(state, capture, 4);
    expect(decideWholeCapture(state, 'h')).toBeUndefined();
  });

  test.each`
    expiresAtUs | expiresAfterMs | expected
    ${0}        | ${0}           | ${0}
    ${77}       | ${0}           | ${77}
    ${0}        | ${3}           | ${13_000}
  `('at $expected', ({ expected, ...end }: { expiresAtUs: number; expiresAfterMs: number; expected: number }) => {
    expect(holdExpiry(end, 10_000)).toBe(expected);
  });
});
