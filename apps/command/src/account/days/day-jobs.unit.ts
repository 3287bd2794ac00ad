/** The jobs of an end of day at the accounts of a branch: what they book, what they set aside, and that each does its work once, however it is cut into steps. */
import { logpb } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { BranchOfAccounts, on, SAVINGS } from '../../test/branch-of-accounts';

const T = on('1996-02-29');
const NEXT = on('1996-03-01');
const CAPITALISED = { ...SAVINGS, capitalise: true };
const MONTHLY: logpb.ProductTerms = { ...SAVINGS, productId: 'term', termMonths: 1 };
const RENEWED: logpb.ProductTerms = { ...MONTHLY, productId: 'rolling', renews: true };

/** Totals of balances as texts: product, sum, count, accrued. */
function balances(verdicts: readonly logpb.DayStepDone[]): string[] {
  return verdicts
    .flatMap(({ totals }) => totals)
    .filter(({ line }) => line === logpb.ContraLine.CONTRA_LINE_UNSPECIFIED)
    .map(({ product, unit, balanceMinor, count, accruedMicro }) => `${product} ${unit} ${balanceMinor} of ${count}, accrued ${accruedMicro}`);
}

/** Totals of lines as texts: product, line, debit, credit, count. */
function lines(verdicts: readonly logpb.DayStepDone[]): string[] {
  return verdicts
    .flatMap(({ totals }) => totals)
    .filter(({ line }) => line !== logpb.ContraLine.CONTRA_LINE_UNSPECIFIED)
    .map(
      ({ product, line, debitMinor, creditMinor, count }) =>
        `${product} ${logpb.ContraLine[line]?.slice('CONTRA_LINE_'.length)} ${debitMinor} ${creditMinor} of ${count}`,
    );
}

/** A branch whose date T is cut and sealed: `prepare` posts what is dated T. */
function closed(prepare: (branch: BranchOfAccounts) => void, partitions = 1): BranchOfAccounts {
  const branch = new BranchOfAccounts(partitions);
  branch.setDay(T, T - 1);
  prepare(branch);
  branch.setDay(NEXT, T);
  branch.seal(T);
  branch.job('RollAccounts', { date: T });
  return branch;
}

describe('interest', () => {
  test('accrues on closing balances, once for each day, whatever step comes again', () => {
    const branch = closed((t) => {
      t.open('a', 'savings');
      t.open('b', 'savings', { limits: accountpb.AccountLimits.fromPartial({ overdraftMinor: 50_000n }) });
      t.open('c', 'savings');
      t.open('d', 'current');
      t.post('a', 10_000n);
      t.post('b', -5_000n);
      t.post('d', 7_000n);
    });
    // Online goes on: it does not change what closed.
    branch.post('a', 90_000n);
    for (let again = 0; again < 2; again += 1) {
      const [verdict] = branch.job('AccrueInterest', { date: T, nextDate: NEXT, terms: [SAVINGS] });
      expect(verdict).toMatchObject({ accounts: 4n, lookedAt: 4n, changed: again === 0 ? 2n : 0n, setAside: [] });
    }
    expect(branch.eventsOf('InterestAccrued').map((payload) => accountpb.InterestAccrued.decode(payload))).toEqual([
      {
        branchId: '55',
        date: T,
        nextDate: NEXT,
        accounts: [
          { accountId: 'a', microMinor: 1_000_000n, remainder: 0n },
          { accountId: 'b', microMinor: -1_000_000n, remainder: 0n },
        ],
      },
    ]);
    expect(branch.engineMade).toEqual([]);
    expect(balances(branch.job('TotalAccounts', { date: T }))).toEqual(['savings CZK 5000 of 3, accrued 0', 'current CZK 7000 of 1, accrued 0']);
  });

  test('over a holiday accrues for every day of it', () => {
    const branch = closed((t) => {
      t.open('a', 'savings');
      t.post('a', 10_000n);
    });
    branch.job('AccrueInterest', { date: T, nextDate: T + 4, terms: [SAVINGS] });
    expect(balances(branch.job('TotalAccounts', { date: T }))).toEqual(['savings CZK 10000 of 1, accrued 4000000']);
  });

  test('is booked where the terms say so: dated, into both balances, through freezes, limits and funds', () => {
    const branch = closed((t) => {
      t.open('a', 'savings', { limits: accountpb.AccountLimits.fromPartial({ maximumBalanceMinor: 10_000n }) });
      t.open('b', 'savings', { limits: accountpb.AccountLimits.fromPartial({ overdraftMinor: 5_000n }) });
      t.post('a', 10_000n);
      t.post('b', -5_000n);
      t.accounts.change('freeze', 'a');
    });
    const [verdict] = branch.job('AccrueInterest', { date: T, nextDate: NEXT, terms: [CAPITALISED] });
    expect(verdict).toMatchObject({ changed: 2n, setAside: [] });
    expect(branch.engineMade).toEqual(['a CREDIT 1 interest', 'b DEBIT 1 interest']);
    expect(branch.postings.slice(-2)).toMatchObject([{ requestId: 'interest/1996-02-29', initiatedDate: '1996-02-29' }, { requestId: 'interest/1996-02-29' }]);
    expect([branch.accounts.account('a').balanceMinor, branch.accounts.account('b').balanceMinor]).toEqual([10_001n, -5_001n]);
    const totals = branch.job('TotalAccounts', { date: T });
    expect(balances(totals)).toEqual(['savings CZK 5000 of 2, accrued 0']);
    expect(lines(totals)).toEqual(['savings CASH 5000 10000 of 2', 'savings INTEREST 1 1 of 2']);
    // What is totalled is forgotten.
    expect(lines(branch.job('TotalAccounts', { date: T }))).toEqual([]);
  });

  test('that cannot be booked stays accrued, and is set aside each time until it can; that of a closed account lapses, and is said once', () => {
    const tiny = { ...CAPITALISED, productId: 'tiny', tiers: [{ fromMinor: 0n, basisPoints: 1 }] };
    const branch = closed((t) => {
      t.open('a', 'savings');
      for (const accountId of ['b', 'c']) t.open(accountId, accountId === 'b' ? 'tiny' : 'savings');
      t.post('a', 10_000n);
      for (const accountId of ['b', 'c']) for (const amount of [(1n << 62n) - 1n, 1n << 62n]) t.post(accountId, amount);
    });
    branch.post('a', -10_000n);
    branch.accounts.change('close', 'a');
    const tooMuch = { reason: expect.stringContaining('does not fit into 64 bits') };
    const [verdict] = branch.job('AccrueInterest', { date: T, nextDate: NEXT, terms: [CAPITALISED, tiny] });
    expect(verdict).toMatchObject({
      changed: 1n,
      setAside: [
        { accountId: 'a', reason: 'the account is closed: settle its interest of 1 minor units of CZK by hand' },
        { accountId: 'b', ...tooMuch },
        { accountId: 'c', ...tooMuch },
      ],
    });
    expect(branch.engineMade).toEqual([]);
    const aDay = ((((1n << 63n) - 1n) * 1_000_000n) / 3_650_000n).toString();
    expect(balances(branch.job('TotalAccounts', { date: T }))).toEqual([
      `savings CZK ${(1n << 63n) - 1n + 10_000n} of 2, accrued 0`,
      `tiny CZK ${(1n << 63n) - 1n} of 1, accrued ${aDay}`,
    ]);
    branch.setDay(NEXT + 1, NEXT);
    branch.seal(NEXT);
    branch.post('b', -(1n << 62n));
    const [later] = branch.job('AccrueInterest', { date: NEXT, nextDate: NEXT + 1, terms: [CAPITALISED, tiny] });
    expect(later?.setAside).toEqual([{ accountId: 'c', ...tooMuch }]);
    expect(branch.engineMade).toHaveLength(1);
  });

  test('of terms that cannot be applied is not decided', () => {
    const branch = closed((t) => t.open('a', 'savings'));
    expect(() => branch.step(0, 'AccrueInterest', { date: T, terms: [{ ...SAVINGS, tiers: [{ fromMinor: 5n, basisPoints: 1 }] }] })).toThrow(
      'AccrueInterest: the terms of product savings cannot be applied: FIRST_TIER_NOT_ZERO',
    );
  });
});

describe('terms', () => {
  const UNTIL = on('1996-03-29');
  const terms = [MONTHLY, RENEWED];

  /** A deposit of 10,000 whose term began at T and ends at UNTIL, which is closed. */
  function matured(prepare: (branch: BranchOfAccounts) => void, partitions = 1): BranchOfAccounts {
    const branch = closed(prepare, partitions);
    branch.job('MatureAccounts', { date: T, terms });
    branch.job('AccrueInterest', { date: T, nextDate: UNTIL, terms });
    branch.setDay(UNTIL, UNTIL - 1);
    branch.setDay(UNTIL + 1, UNTIL);
    branch.seal(UNTIL);
    branch.job('RollAccounts', { date: UNTIL });
    return branch;
  }

  const reasonsOf = ([verdict]: readonly logpb.DayStepDone[]): string[] => verdict?.setAside.map(({ accountId, reason }) => `${accountId}: ${reason}`) ?? [];

  test('begin with the first batch that finds the account, and end in the batch of their last date', () => {
    const branch = matured((t) => {
      t.open('deposit', 'term', { linkedAccountId: 'current' });
      t.open('current', 'current');
      t.open('closed', 'term');
      t.accounts.change('close', 'closed');
      t.post('deposit', 10_000n);
    });
    expect(branch.eventsOf('TermBegun').map((payload) => accountpb.TermBegun.decode(payload))).toEqual([
      { accountId: 'deposit', fromDate: T, untilDate: UNTIL },
    ]);
    expect(branch.job('MatureAccounts', { date: UNTIL - 1, terms })[0]).toMatchObject({ changed: 0n });
    expect(branch.job('MatureAccounts', { date: UNTIL, terms })[0]).toMatchObject({ changed: 1n, setAside: [] });
    expect(branch.engineMade).toEqual(['deposit CREDIT 29 interest', 'deposit DEBIT 10029', 'current CREDIT 10029']);
    expect(branch.eventsOf('TermEnded').map((payload) => accountpb.TermEnded.decode(payload))).toEqual([{ accountId: 'deposit', date: UNTIL }]);
    // Once.
    expect(branch.job('MatureAccounts', { date: UNTIL, terms })[0]).toMatchObject({ changed: 0n });
    const totals = branch.job('TotalAccounts', { date: UNTIL });
    expect(balances(totals)).toEqual(['term CZK 0 of 2, accrued 0', 'current CZK 10029 of 1, accrued 0']);
    expect(lines(totals)).toEqual(['term CASH 0 10000 of 1', 'term INTEREST 0 29 of 1', 'term INTER_BRANCH 10029 0 of 1', 'current INTER_BRANCH 0 10029 of 1']);
  });

  test.each(['replayAll', 'restoreAll'] as const)('are kept when the partition starts again: %s', (start) => {
    const branch = matured((t) => {
      t.open('deposit', 'term', { linkedAccountId: 'current' });
      t.open('current', 'current');
      t.post('deposit', 10_000n);
      t.accounts[start]();
    });
    branch.accounts[start]();
    expect(branch.job('MatureAccounts', { date: UNTIL, terms })[0]).toMatchObject({ changed: 1n, setAside: [] });
    branch.accounts[start]();
    expect(branch.job('MatureAccounts', { date: UNTIL, terms })[0]).toMatchObject({ changed: 0n });
    expect(branch.engineMade).toEqual(['deposit CREDIT 29 interest', 'deposit DEBIT 10029', 'current CREDIT 10029']);
    const totals = branch.job('TotalAccounts', { date: UNTIL });
    expect(balances(totals)).toEqual(['term CZK 0 of 1, accrued 0', 'current CZK 10029 of 1, accrued 0']);
    expect(lines(totals)).toContain('term INTEREST 0 29 of 1');
    branch.accounts[start]();
    expect(lines(branch.job('TotalAccounts', { date: UNTIL }))).toEqual([]);
  });

  test('that renew begin anew with principal and interest', () => {
    const branch = matured((t) => {
      t.open('deposit', 'rolling');
      t.post('deposit', 10_000n);
    });
    branch.job('MatureAccounts', { date: UNTIL, terms });
    expect(branch.engineMade).toEqual(['deposit CREDIT 29 interest']);
    expect(
      branch
        .eventsOf('TermBegun')
        .map((payload) => accountpb.TermBegun.decode(payload))
        .at(-1),
    ).toEqual({
      accountId: 'deposit',
      fromDate: UNTIL,
      untilDate: on('1996-04-29'),
    });
    expect(branch.eventsOf('TermEnded')).toEqual([]);
  });

  test('that end on a day without business end in the batch before it, with the interest up to that day', () => {
    const branch = closed((t) => {
      t.open('deposit', 'term', { linkedAccountId: 'current' });
      t.open('current', 'current');
      t.post('deposit', 10_000n);
    });
    branch.job('MatureAccounts', { date: T, terms });
    branch.job('AccrueInterest', { date: T, nextDate: UNTIL - 1, terms });
    branch.setDay(UNTIL - 1, T);
    branch.setDay(UNTIL + 3, UNTIL - 1);
    branch.seal(UNTIL - 1);
    branch.job('MatureAccounts', { date: UNTIL - 1, nextDate: UNTIL + 3, terms });
    expect(branch.engineMade).toEqual(['deposit CREDIT 29 interest', 'deposit DEBIT 10029', 'current CREDIT 10029']);
    branch.job('AccrueInterest', { date: UNTIL - 1, nextDate: UNTIL + 3, terms });
    expect(balances(branch.job('TotalAccounts', { date: UNTIL - 1 }))).toEqual(['term CZK 0 of 1, accrued 0', 'current CZK 10029 of 1, accrued 0']);
  });

  test('that cannot end are set aside with what is to be done, and the next end of day tries again', () => {
    const branch = matured((t) => {
      t.open('current', 'current');
      for (const accountId of ['frozen', 'held', 'unlinked', 'lost']) t.open(accountId, 'term', { linkedAccountId: accountId === 'unlinked' ? '' : 'current' });
      for (const accountId of ['frozen', 'held', 'unlinked', 'lost']) t.post(accountId, 10_000n);
    });
    branch.accounts.change('freeze', 'frozen');
    branch.accounts.post({ requestId: 'hold', accountId: 'held', type: accountpb.PostingType.POSTING_TYPE_HOLD, amountMinor: 5n, unit: 'CZK' });
    branch.accounts.updateWith('lost', { linkedAccountId: 'closed' });
    branch.open('closed', 'current');
    branch.accounts.change('close', 'closed');
    expect(reasonsOf(branch.job('MatureAccounts', { date: UNTIL, terms }))).toEqual([
      'frozen: the account is frozen: unfreeze it',
      'held: holds are open: capture or release them',
      'unlinked: there is no linked account: name one by an update of the account',
      'lost: the linked account is closed: name another one by an update of the account',
    ]);
    expect(branch.engineMade).toEqual([]);
    branch.accounts.change('unfreeze', 'frozen');
    branch.accounts.post({
      requestId: 'release',
      accountId: 'held',
      type: accountpb.PostingType.POSTING_TYPE_RELEASE,
      amountMinor: 5n,
      unit: 'CZK',
      holdId: 'hold',
    });
    for (const accountId of ['unlinked', 'lost']) branch.accounts.updateWith(accountId, { linkedAccountId: 'current' });
    branch.setDay(UNTIL + 2, UNTIL + 1);
    branch.seal(UNTIL + 1);
    expect(branch.job('MatureAccounts', { date: UNTIL + 1, terms })[0]).toMatchObject({ changed: 4n, setAside: [] });
    expect(branch.accounts.account('current').balanceMinor).toBe(4n * 10_029n);
  });

  test('of a closed account end with nothing, whatever the product says; its interest is said once', () => {
    const branch = matured((t) => {
      t.open('deposit', 'rolling');
      t.post('deposit', 10_000n);
    });
    branch.post('deposit', -10_000n);
    branch.accounts.change('close', 'deposit');
    const lapsed = 'deposit: the account is closed: settle its interest of 29 minor units of CZK by hand';
    expect(reasonsOf(branch.job('MatureAccounts', { date: UNTIL, terms }))).toEqual([lapsed]);
    branch.accounts.replayAll();
    expect(reasonsOf(branch.job('MatureAccounts', { date: UNTIL + 1, terms }))).toEqual([]);
    expect(branch.eventsOf('TermEnded')).toHaveLength(1);
    expect(branch.engineMade).toEqual([]);
    expect(balances(branch.job('TotalAccounts', { date: UNTIL }))).toEqual(['rolling CZK 10000 of 1, accrued 0']);
  });

  test('whose linked account is in another partition owe it the credit; one that refuses is tried again', () => {
    const branch = new BranchOfAccounts(2);
    const [deposit, current] = [branch.accounts.idIn(0, 'deposit'), branch.accounts.idIn(1, 'current')];
    branch.setDay(T, T - 1);
    branch.open(deposit, 'term', { linkedAccountId: current });
    branch.post(deposit, 10_000n);
    branch.job('MatureAccounts', { date: T, terms });
    branch.setDay(UNTIL, UNTIL - 1);
    // Before the day is cut: the leg is waited for by the seal.
    branch.job('MatureAccounts', { date: UNTIL, terms });
    expect(branch.accounts.account(deposit)).toMatchObject({ balanceMinor: 0n, inTransitMinor: 10_000n });
    expect(branch.outstanding(0, UNTIL)).toBe(1);
    branch.accounts.deliverAll();
    expect(branch.outstanding(0, UNTIL)).toBe(0);
    expect(branch.accounts.account(deposit)).toMatchObject({ balanceMinor: 10_000n, inTransitMinor: 0n });
    // At the same date once more: another transfer.
    branch.job('MatureAccounts', { date: UNTIL, terms });
    branch.accounts.deliverAll();
    expect(new Set(branch.postings.filter(({ toAccountId }) => toAccountId !== '').map(({ requestId }) => requestId)).size).toBe(2);
    branch.open(current, 'current');
    branch.setDay(UNTIL + 1, UNTIL);
    branch.job('MatureAccounts', { date: UNTIL + 1, terms });
    branch.accounts.deliverAll();
    expect([branch.accounts.account(deposit), branch.accounts.account(current)]).toMatchObject([{ balanceMinor: 0n }, { balanceMinor: 10_000n }]);
    const refused = [`${deposit} DEBIT 10000`, `${deposit} CREDIT 10000`];
    expect(branch.engineMade).toEqual([...refused, ...refused, `${deposit} DEBIT 10000`, `${current} CREDIT 10000`]);
  });
});

test('steps of one turn record so much together that a commit takes it; one that finds no room does nothing, and is asked for again', () => {
  const branch = closed((t) => {
    for (let at = 0; at < 500; at += 1) {
      t.open(`${'a long name of an account '.repeat(4)}${at}`, 'savings');
      t.post(`${'a long name of an account '.repeat(4)}${at}`, 10_000n);
    }
  });
  const dates = Array.from({ length: 30 }, (_, at) => ({ date: T + at, terms: [CAPITALISED], limit: 100 }));
  const verdicts = branch.stepsTogether(0, 'AccrueInterest', dates);
  const lookedAt = verdicts.map((verdict) => Number(verdict.lookedAt));
  const full = lookedAt.filter((count) => count === 100).length;
  expect(full).toBeGreaterThan(5);
  expect(full).toBeLessThan(15);
  expect(lookedAt.slice(full + 1)).toEqual(lookedAt.slice(full + 1).map(() => 0));
  expect(verdicts.at(-1)).toMatchObject({ next: 0n, complete: false, accounts: 500n, changed: 0n });
  const recorded = branch.accounts.lastEvents(0).reduce((sum, { payload }) => sum + payload.length, 0);
  expect(recorded).toBeLessThan(1.1 * 2 ** 20);
  expect(branch.step(0, 'AccrueInterest', dates.at(-1) as (typeof dates)[number])).toMatchObject({ next: 100n, changed: 100n });
});

describe('outstanding transfers', () => {
  test('are those of the branch, and of branches that have cut the day', () => {
    const branch = new BranchOfAccounts(2);
    const [mine, theirs, target] = [branch.accounts.idIn(0, 'mine'), branch.accounts.idIn(0, 'theirs'), branch.accounts.idIn(1, 'target')];
    branch.setDay(T, T - 1);
    branch.setDayOf('56', T, T - 1);
    branch.open(mine, 'current');
    branch.open(theirs, 'current', { branchId: '56' });
    branch.open(target, 'current');
    for (const accountId of [mine, theirs]) {
      branch.post(accountId, 100n);
      branch.accounts.transfer({ requestId: 'out', fromAccountId: accountId, toAccountId: target, amountMinor: 10n, unit: 'CZK' });
    }
    branch.setDay(NEXT, T);
    expect([branch.outstanding(0, T - 1), branch.outstanding(0, T), branch.outstanding(1, T)]).toEqual([0, 1, 0]);
    branch.setDayOf('56', NEXT, T);
    expect(branch.outstanding(0, T)).toBe(2);
    branch.accounts.deliverAll();
    expect(branch.outstanding(0, T)).toBe(0);
  });
});
