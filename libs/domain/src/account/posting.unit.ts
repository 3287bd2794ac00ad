/**
 * Postings as tables: one row per case. Where a row would be refused for several reasons, the first check in the order of
 * docs/design.md §3 gives the answer: that order is part of the interface.
 */
import { availableMinor, INT64_MAX, INT64_MIN, MAXIMUM_OPEN_HOLDS, NO_LIMITS, POSTING_TYPES, type Account, type AccountLimits } from './account';
import { evolveAccount } from './lifecycle';
import { applyPosting, decidePosting, evolvePostings, type Posting, type PostingDecision, type PostingsSummary } from './posting';

const OPENED_AT_US = 1;

function account(changes: Partial<Account> = {}): Account {
  const opening = { kind: 'opened', accountId: 'a', unit: 'EUR', branchId: '', product: '', limits: NO_LIMITS, signingKeyId: '' } as const;
  return { ...evolveAccount(undefined, opening, OPENED_AT_US), ...changes };
}

const limits = (changes: Partial<AccountLimits>): AccountLimits => ({ ...NO_LIMITS, ...changes });
const posting = (type: Posting['type'], amountMinor: bigint, changes: Partial<Posting> = {}): Posting => ({
  requestId: 'r',
  type,
  amountMinor,
  unit: 'EUR',
  holdId: '',
  final: false,
  ...changes,
});
const credit = (amountMinor: bigint): Posting => posting('CREDIT', amountMinor);
const debit = (amountMinor: bigint): Posting => posting('DEBIT', amountMinor);
const hold = (amountMinor: bigint): Posting => posting('HOLD', amountMinor);
const capture = (amountMinor: bigint, final = false, holdId = 'h'): Posting => posting('CAPTURE', amountMinor, { holdId, final });
const release = (amountMinor: bigint, holdId = 'h'): Posting => posting('RELEASE', amountMinor, { holdId });

const posted = (balanceAfterMinor: bigint, heldAfterMinor = 0n): PostingDecision => ({ accepted: true, balanceAfterMinor, heldAfterMinor });
const heldTo = (balanceAfterMinor: bigint, heldAfterMinor: bigint, holdId: string, holdRemainingMinor: bigint): PostingDecision => ({
  accepted: true,
  balanceAfterMinor,
  heldAfterMinor,
  holdId,
  holdRemainingMinor,
});
const rejected = (rejection: string): unknown => ({ accepted: false, rejection });

describe('the order of the checks', () => {
  // A posting that breaks every rule, mended from the top: each row passes one more check than the row above it.
  const strict = limits({ allowedTypes: ['CREDIT'], maximumPostingMinor: 10n });
  const frozen = account({ status: 'FROZEN', limits: strict });
  const open = account({ limits: strict });
  const lenient = account({ limits: limits({ maximumPostingMinor: 10n }) });
  test.each`
    stands       | signatureValid | asked                                     | outcome
    ${undefined} | ${false}       | ${posting('DEBIT', 0n, { unit: 'USD' })}  | ${rejected('ACCOUNT_NOT_FOUND')}
    ${frozen}    | ${false}       | ${posting('DEBIT', 0n, { unit: 'USD' })}  | ${rejected('SIGNATURE_INVALID')}
    ${frozen}    | ${true}        | ${posting('DEBIT', 0n, { unit: 'USD' })}  | ${rejected('AMOUNT_NOT_POSITIVE')}
    ${frozen}    | ${true}        | ${posting('DEBIT', -1n, { unit: 'USD' })} | ${rejected('AMOUNT_NOT_POSITIVE')}
    ${frozen}    | ${true}        | ${posting('DEBIT', 11n, { unit: 'USD' })} | ${rejected('UNIT_MISMATCH')}
    ${frozen}    | ${true}        | ${debit(11n)}                             | ${rejected('ACCOUNT_FROZEN')}
    ${open}      | ${true}        | ${debit(11n)}                             | ${rejected('TYPE_NOT_ALLOWED')}
    ${lenient}   | ${true}        | ${debit(11n)}                             | ${rejected('POSTING_LIMIT_EXCEEDED')}
    ${lenient}   | ${true}        | ${debit(10n)}                             | ${rejected('INSUFFICIENT_FUNDS')}
  `(
    '$outcome.rejection',
    ({ stands, signatureValid, asked, outcome }: { stands: Account | undefined; signatureValid: boolean; asked: Posting; outcome: unknown }) => {
      expect(decidePosting(stands, asked, signatureValid)).toEqual(outcome);
    },
  );

  test.each`
    standing                                                                | asked                       | outcome
    ${'a full account: the maximum before the overflow'}                    | ${credit(1n)}               | ${rejected('MAXIMUM_BALANCE_EXCEEDED')}
    ${'a hold on a full list: the list before the funds'}                   | ${hold(INT64_MAX)}          | ${rejected('TOO_MANY_HOLDS')}
    ${'a capture above the hold of another id: the hold before the amount'} | ${capture(99n, false, 'x')} | ${rejected('HOLD_NOT_FOUND')}
  `('$standing', ({ asked, outcome }: { asked: Posting; outcome: unknown }) => {
    const holds = new Map(Array.from({ length: MAXIMUM_OPEN_HOLDS }, (_, index) => [`h${index}`, 1n] as const));
    const full = account({ balanceMinor: INT64_MAX, heldMinor: BigInt(MAXIMUM_OPEN_HOLDS), holds, limits: limits({ maximumBalanceMinor: INT64_MAX - 5n }) });
    expect(decidePosting(full, asked, true)).toEqual(outcome);
  });
});

describe('status', () => {
  const held = { balanceMinor: 10n, heldMinor: 5n, holds: new Map([['h', 5n]]) };
  const OPEN = account({ ...held });
  const FROZEN = account({ ...held, status: 'FROZEN' });
  const CLOSED = account({ status: 'CLOSED' });
  test.each`
    state       | stands    | asked          | outcome
    ${'OPEN'}   | ${OPEN}   | ${credit(1n)}  | ${posted(11n, 5n)}
    ${'OPEN'}   | ${OPEN}   | ${debit(1n)}   | ${posted(9n, 5n)}
    ${'OPEN'}   | ${OPEN}   | ${hold(1n)}    | ${heldTo(10n, 6n, 'r', 1n)}
    ${'OPEN'}   | ${OPEN}   | ${capture(1n)} | ${heldTo(9n, 4n, 'h', 4n)}
    ${'OPEN'}   | ${OPEN}   | ${release(1n)} | ${heldTo(10n, 4n, 'h', 4n)}
    ${'FROZEN'} | ${FROZEN} | ${credit(1n)}  | ${posted(11n, 5n)}
    ${'FROZEN'} | ${FROZEN} | ${debit(1n)}   | ${rejected('ACCOUNT_FROZEN')}
    ${'FROZEN'} | ${FROZEN} | ${hold(1n)}    | ${rejected('ACCOUNT_FROZEN')}
    ${'FROZEN'} | ${FROZEN} | ${capture(1n)} | ${rejected('ACCOUNT_FROZEN')}
    ${'FROZEN'} | ${FROZEN} | ${release(1n)} | ${heldTo(10n, 4n, 'h', 4n)}
    ${'CLOSED'} | ${CLOSED} | ${credit(1n)}  | ${rejected('ACCOUNT_CLOSED')}
    ${'CLOSED'} | ${CLOSED} | ${debit(1n)}   | ${rejected('ACCOUNT_CLOSED')}
    ${'CLOSED'} | ${CLOSED} | ${hold(1n)}    | ${rejected('ACCOUNT_CLOSED')}
    ${'CLOSED'} | ${CLOSED} | ${capture(1n)} | ${rejected('ACCOUNT_CLOSED')}
    ${'CLOSED'} | ${CLOSED} | ${release(1n)} | ${rejected('ACCOUNT_CLOSED')}
  `('$state: $asked.type', ({ stands, asked, outcome }: { stands: Account; asked: Posting; outcome: unknown }) => {
    const before = structuredClone(stands);
    expect(decidePosting(stands, asked, true)).toEqual(outcome);
    expect(stands).toEqual(before);
  });
});

describe('funds', () => {
  test.each`
    balance           | held         | overdraft    | maximum      | asked               | outcome
    ${100n}           | ${0n}        | ${0n}        | ${undefined} | ${debit(100n)}      | ${posted(0n)}
    ${100n}           | ${0n}        | ${0n}        | ${undefined} | ${debit(101n)}      | ${rejected('INSUFFICIENT_FUNDS')}
    ${100n}           | ${1n}        | ${0n}        | ${undefined} | ${debit(100n)}      | ${rejected('INSUFFICIENT_FUNDS')}
    ${100n}           | ${1n}        | ${1n}        | ${undefined} | ${debit(100n)}      | ${posted(0n, 1n)}
    ${0n}             | ${0n}        | ${50n}       | ${undefined} | ${debit(50n)}       | ${posted(-50n)}
    ${0n}             | ${0n}        | ${50n}       | ${undefined} | ${debit(51n)}       | ${rejected('INSUFFICIENT_FUNDS')}
    ${-50n}           | ${0n}        | ${0n}        | ${undefined} | ${debit(1n)}        | ${rejected('INSUFFICIENT_FUNDS')}
    ${-50n}           | ${0n}        | ${0n}        | ${undefined} | ${credit(20n)}      | ${posted(-30n)}
    ${100n}           | ${0n}        | ${0n}        | ${undefined} | ${hold(100n)}       | ${heldTo(100n, 100n, 'r', 100n)}
    ${100n}           | ${40n}       | ${0n}        | ${undefined} | ${hold(61n)}        | ${rejected('INSUFFICIENT_FUNDS')}
    ${100n}           | ${0n}        | ${0n}        | ${100n}      | ${credit(1n)}       | ${rejected('MAXIMUM_BALANCE_EXCEEDED')}
    ${99n}            | ${0n}        | ${0n}        | ${100n}      | ${credit(1n)}       | ${posted(100n)}
    ${150n}           | ${0n}        | ${0n}        | ${100n}      | ${debit(10n)}       | ${posted(140n)}
    ${INT64_MAX}      | ${0n}        | ${0n}        | ${undefined} | ${credit(1n)}       | ${rejected('AMOUNT_OVERFLOW')}
    ${INT64_MAX - 1n} | ${0n}        | ${0n}        | ${undefined} | ${credit(1n)}       | ${posted(INT64_MAX)}
    ${0n}             | ${0n}        | ${INT64_MAX} | ${undefined} | ${debit(INT64_MAX)} | ${posted(-INT64_MAX)}
    ${-INT64_MAX}     | ${0n}        | ${INT64_MAX} | ${undefined} | ${debit(1n)}        | ${rejected('INSUFFICIENT_FUNDS')}
    ${INT64_MAX}      | ${INT64_MAX} | ${INT64_MAX} | ${undefined} | ${hold(1n)}         | ${rejected('AMOUNT_OVERFLOW')}
  `(
    'balance $balance, held $held, overdraft $overdraft, maximum $maximum: $asked.type $asked.amountMinor',
    ({
      balance,
      held,
      overdraft,
      maximum,
      asked,
      outcome,
    }: {
      balance: bigint;
      held: bigint;
      overdraft: bigint;
      maximum?: bigint;
      asked: Posting;
      outcome: unknown;
    }) => {
      const stands = account({ balanceMinor: balance, heldMinor: held, limits: limits({ overdraftMinor: overdraft, maximumBalanceMinor: maximum }) });
      expect(decidePosting(stands, asked, true)).toEqual(outcome);
    },
  );

  test('no balance ever leaves int64, not even where an overdraft was widened under a debt', () => {
    const deepest = account({ balanceMinor: INT64_MIN + 1n, limits: limits({ overdraftMinor: INT64_MAX }) });
    expect(decidePosting(deepest, debit(1n), true)).toEqual(rejected('INSUFFICIENT_FUNDS'));
    const held = account({ balanceMinor: INT64_MIN + 1n, heldMinor: 5n, holds: new Map([['h', 5n]]) });
    expect(decidePosting(held, capture(2n), true)).toEqual(rejected('AMOUNT_OVERFLOW'));
    expect(decidePosting(held, capture(1n), true)).toEqual(heldTo(INT64_MIN, 4n, 'h', 4n));
  });

  test.each`
    balance      | held   | overdraft    | available
    ${0n}        | ${0n}  | ${0n}        | ${0n}
    ${100n}      | ${30n} | ${5n}        | ${75n}
    ${-100n}     | ${0n}  | ${40n}       | ${-60n}
    ${INT64_MAX} | ${0n}  | ${INT64_MAX} | ${INT64_MAX}
  `(
    'available of $balance - $held + $overdraft is $available',
    ({ balance, held, overdraft, available }: Record<'balance' | 'held' | 'overdraft' | 'available', bigint>) => {
      expect(availableMinor(account({ balanceMinor: balance, heldMinor: held, limits: limits({ overdraftMinor: overdraft }) }))).toBe(available);
    },
  );
});

describe('limits of one posting', () => {
  test.each`
    allowed                | largest      | asked         | outcome
    ${[]}                  | ${undefined} | ${credit(9n)} | ${posted(109n)}
    ${['CREDIT']}          | ${undefined} | ${credit(9n)} | ${posted(109n)}
    ${['CREDIT']}          | ${undefined} | ${debit(9n)}  | ${rejected('TYPE_NOT_ALLOWED')}
    ${['CREDIT', 'DEBIT']} | ${9n}        | ${debit(9n)}  | ${posted(91n)}
    ${[...POSTING_TYPES]}  | ${8n}        | ${debit(9n)}  | ${rejected('POSTING_LIMIT_EXCEEDED')}
    ${[]}                  | ${8n}        | ${credit(9n)} | ${rejected('POSTING_LIMIT_EXCEEDED')}
    ${[]}                  | ${8n}        | ${hold(9n)}   | ${rejected('POSTING_LIMIT_EXCEEDED')}
    ${[]}                  | ${0n}        | ${credit(1n)} | ${rejected('POSTING_LIMIT_EXCEEDED')}
  `(
    'allowed $allowed, at most $largest: $asked.type',
    ({ allowed, largest, asked, outcome }: { allowed: AccountLimits['allowedTypes']; largest?: bigint; asked: Posting; outcome: unknown }) => {
      expect(decidePosting(account({ balanceMinor: 100n, limits: limits({ allowedTypes: allowed, maximumPostingMinor: largest }) }), asked, true)).toEqual(
        outcome,
      );
    },
  );
});

describe('holds', () => {
  // One account through a whole story: each row stands on the rows above it.
  const stands = account({ balanceMinor: 100n });
  test.each`
    asked                                         | outcome                           | holds
    ${posting('HOLD', 60n, { requestId: 'one' })} | ${heldTo(100n, 60n, 'one', 60n)}  | ${{ one: 60n }}
    ${posting('HOLD', 41n, { requestId: 'two' })} | ${rejected('INSUFFICIENT_FUNDS')} | ${{ one: 60n }}
    ${posting('HOLD', 40n, { requestId: 'two' })} | ${heldTo(100n, 100n, 'two', 40n)} | ${{ one: 60n, two: 40n }}
    ${debit(1n)}                                  | ${rejected('INSUFFICIENT_FUNDS')} | ${{ one: 60n, two: 40n }}
    ${capture(61n, false, 'one')}                 | ${rejected('HOLD_EXCEEDED')}      | ${{ one: 60n, two: 40n }}
    ${capture(20n, false, 'one')}                 | ${heldTo(80n, 80n, 'one', 40n)}   | ${{ one: 40n, two: 40n }}
    ${release(10n, 'one')}                        | ${heldTo(80n, 70n, 'one', 30n)}   | ${{ one: 30n, two: 40n }}
    ${capture(5n, true, 'one')}                   | ${heldTo(75n, 40n, 'one', 0n)}    | ${{ two: 40n }}
    ${capture(1n, false, 'one')}                  | ${rejected('HOLD_NOT_FOUND')}     | ${{ two: 40n }}
    ${release(41n, 'two')}                        | ${rejected('HOLD_EXCEEDED')}      | ${{ two: 40n }}
    ${release(40n, 'two')}                        | ${heldTo(75n, 0n, 'two', 0n)}     | ${{}}
    ${release(1n, 'two')}                         | ${rejected('HOLD_NOT_FOUND')}     | ${{}}
    ${debit(75n)}                                 | ${posted(0n)}                     | ${{}}
  `('$asked.type $asked.amountMinor', ({ asked, outcome, holds }: { asked: Posting; outcome: unknown; holds: Record<string, bigint> }) => {
    const decision = decidePosting(stands, asked, true);
    expect(decision).toEqual(outcome);
    if (decision.accepted) applyPosting(stands, decision, 2);
    expect(Object.fromEntries(stands.holds)).toEqual(holds);
  });

  test('a capture of the whole hold ends it, final or not', () => {
    const held = account({ balanceMinor: 10n, heldMinor: 10n, holds: new Map([['h', 10n]]) });
    expect(decidePosting(held, capture(10n), true)).toEqual(heldTo(0n, 0n, 'h', 0n));
    expect(decidePosting(held, capture(10n, true), true)).toEqual(heldTo(0n, 0n, 'h', 0n));
  });

  test('an account has at most 10,000 open holds', () => {
    const holds = new Map(Array.from({ length: MAXIMUM_OPEN_HOLDS - 1 }, (_, index) => [`h${index}`, 1n] as const));
    const full = account({ balanceMinor: 1_000_000n, heldMinor: BigInt(holds.size), holds });
    const last = decidePosting(full, hold(1n), true);
    expect(last).toMatchObject({ accepted: true });
    if (last.accepted) applyPosting(full, last, 2);
    expect(decidePosting(full, posting('HOLD', 1n, { requestId: 'another' }), true)).toEqual(rejected('TOO_MANY_HOLDS'));
  });

  test('a hold id is a request id, so it never comes twice: the caller has answered repeats', () => {
    const held = account({ balanceMinor: 10n, heldMinor: 1n, holds: new Map([['r', 1n]]) });
    expect(() => decidePosting(held, hold(1n), true)).toThrow('request id r of a hold is used twice');
  });
});

describe('evolving', () => {
  test('an accepted posting counts as an entry and raises the version; only a moved balance moves its time', () => {
    const stands = account({ balanceMinor: 10n });
    applyPosting(stands, { accepted: true, balanceAfterMinor: 10n, heldAfterMinor: 4n, holdId: 'h', holdRemainingMinor: 4n }, 50);
    expect(stands).toMatchObject({ entryCount: 1, version: 2, balanceUpdatedAtUs: OPENED_AT_US, heldMinor: 4n });
    applyPosting(stands, { accepted: true, balanceAfterMinor: 11n, heldAfterMinor: 4n }, 60);
    expect(stands).toMatchObject({ entryCount: 2, version: 3, balanceUpdatedAtUs: 60, balanceMinor: 11n });
  });

  const turn: PostingsSummary = {
    balanceBeforeMinor: 10n,
    balanceAfterMinor: 10n,
    heldBeforeMinor: 0n,
    heldAfterMinor: 0n,
    totalDebitMinor: 0n,
    totalCreditMinor: 0n,
    entriesBefore: 0,
    acceptedCount: 0,
    rejectedCount: 3,
    version: 1,
    changedHolds: [],
  };

  test('a turn of refusals alone only counts them', () => {
    const stands = account({ balanceMinor: 10n });
    evolvePostings(stands, turn, 50);
    expect(stands).toEqual(account({ balanceMinor: 10n, rejectionCount: 3 }));
  });

  test('a turn that moves the balance and brings it back has moved it', () => {
    const stands = account({ balanceMinor: 10n });
    evolvePostings(stands, { ...turn, totalDebitMinor: 5n, totalCreditMinor: 5n, acceptedCount: 2, version: 3 }, 50);
    expect(stands).toMatchObject({ balanceMinor: 10n, balanceUpdatedAtUs: 50, entryCount: 2, version: 3 });
  });

  test.each`
    broken                         | change
    ${'another balance'}           | ${{ balanceBeforeMinor: 11n }}
    ${'another held amount'}       | ${{ heldBeforeMinor: 1n }}
    ${'another number of entries'} | ${{ entriesBefore: 1 }}
  `('a turn that starts at $broken does not continue the account', ({ change }: { change: Partial<PostingsSummary> }) => {
    expect(() => evolvePostings(account({ balanceMinor: 10n }), { ...turn, ...change }, 50)).toThrow('the recorded turn starts at balance');
  });
});
