/** At which date postings are booked, what they do to both balances, and against which lines: row by row, as the events say. */
import { textOfDate } from '@sluice/domain/day';
import { logpb } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import type { DeliveryUnderWay } from '../../test/accounts-of-partitions';
import { BranchOfAccounts, on } from '../../test/branch-of-accounts';

const THURSDAY = on('1996-02-29');
const FRIDAY = on('1996-03-01');
const MONDAY = on('1996-03-04');
const TUESDAY = on('1996-03-05');
const { ROLL_POLICY_BEFORE_POSTING: BEFORE, ROLL_POLICY_AFTER_POSTING: AFTER } = logpb.RollPolicy;
const { POSTING_TYPE_CREDIT: CREDIT, POSTING_TYPE_DEBIT: DEBIT } = accountpb.PostingType;

/** Friday is online. `a` has 100 by a posting of it; `b` is in the last partition. */
function friday({ partitions = 1, rollPolicy = BEFORE } = {}): BranchOfAccounts & { readonly a: string; readonly b: string } {
  const branch = new BranchOfAccounts(partitions);
  branch.setDay(FRIDAY, THURSDAY, { nextDate: MONDAY, rollPolicy });
  const a = branch.accounts.idIn(0, 'a');
  const b = branch.accounts.idIn(partitions - 1, 'b');
  for (const accountId of [a, b]) branch.open(accountId, 'current');
  branch.post(a, 100n);
  return Object.assign(branch, { a, b });
}

function cut(branch: BranchOfAccounts, rollPolicy = BEFORE): void {
  branch.setDay(MONDAY, FRIDAY, { nextDate: TUESDAY, rollPolicy });
}

const short = (date: number): string => textOfDate(date).slice(5);

/** What the newest commit of the partition says of its groups of postings, as texts. */
function booked({ accounts }: BranchOfAccounts, partition = 0): string[] {
  return accounts
    .lastEvents(partition)
    .filter(({ type }) => type === 'account.PostingsRecorded')
    .flatMap(({ payload }) => accountpb.PostingsRecorded.decode(payload).accounts)
    .map(({ accountId, businessDate, lastDayDate, lastDayBalanceMinor, balanceAfterMinor, lines, valueDate }) => {
      const named = `${accountId.split('-')[0]} ${balanceAfterMinor}`;
      if (businessDate === undefined) return named;
      const sums = lines.map(({ line, debitMinor, creditMinor }) => `${logpb.ContraLine[line]?.slice('CONTRA_LINE_'.length)} -${debitMinor} +${creditMinor}`);
      const value = valueDate === undefined ? '' : `, of ${short(valueDate)}`;
      return `${named} at ${short(businessDate)}${value}; ${short(lastDayDate)} closed with ${lastDayBalanceMinor}; ${sums.join(', ')}`;
    });
}

/** CREDITs of 1 and 2 … of `a`, each initiated at a date, or at none. */
function credits(branch: ReturnType<typeof friday>, initiated: readonly (number | undefined)[], atomic = false): string[] {
  const postings = initiated.map((date, at) => ({
    requestId: `credit ${at}`,
    accountId: branch.a,
    type: CREDIT,
    amountMinor: BigInt(at + 1),
    unit: 'CZK',
    initiatedDate: date === undefined ? '' : textOfDate(date),
  }));
  expect(branch.accounts.posts(postings, atomic)).toEqual(initiated.map(() => 'accepted'));
  return booked(branch);
}

test('an account is opened with the closed date behind it, and nothing on it', () => {
  const branch = friday();
  expect(booked(branch)).toEqual(['a 100 at 03-01; 02-29 closed with 0; CASH -0 +100']);
});

describe.each(['one by one', 'all or none'])('postings behind the cut, %s,', (how) => {
  const atomic = how === 'all or none';

  test('are dated Monday, and close Friday: the days stay apart', () => {
    const branch = friday();
    cut(branch);
    expect(credits(branch, [undefined, undefined], atomic)).toEqual(['a 103 at 03-04; 03-01 closed with 100; CASH -0 +3']);
  });

  test('but the first are dated Monday, where the first closes Friday', () => {
    const branch = friday({ rollPolicy: AFTER });
    cut(branch, AFTER);
    expect(credits(branch, [undefined, undefined, undefined], atomic)).toEqual([
      'a 101 at 03-01; 03-01 closed with 101; CASH -0 +1',
      'a 106 at 03-04; 03-01 closed with 101; CASH -0 +5',
    ]);
  });

  test('are dated as their callers say, in as many groups as there are dates in a row', () => {
    const branch = friday();
    cut(branch);
    expect(credits(branch, [MONDAY, FRIDAY, FRIDAY, undefined, TUESDAY, THURSDAY], atomic)).toEqual([
      'a 101 at 03-04; 03-01 closed with 100; CASH -0 +1',
      'a 106 at 03-01; 03-01 closed with 105; CASH -0 +5',
      'a 110 at 03-04; 03-01 closed with 105; CASH -0 +4',
      'a 115 at 03-04, of 03-05; 03-01 closed with 105; CASH -0 +5',
      'a 121 at 03-04, of 02-29; 03-01 closed with 105; IN_TRANSIT -0 +6',
    ]);
  });

  test('keep the date that their callers say whatever closes Friday', () => {
    const branch = friday({ rollPolicy: AFTER });
    cut(branch, AFTER);
    expect(credits(branch, [MONDAY, undefined, undefined], atomic)).toEqual([
      'a 101 at 03-04; 03-01 closed with 100; CASH -0 +1',
      'a 106 at 03-04; 03-01 closed with 100; CASH -0 +5',
    ]);
  });

  test('come through transit where Friday is sealed', () => {
    const branch = friday();
    cut(branch);
    branch.seal(FRIDAY);
    expect(credits(branch, [FRIDAY], atomic)).toEqual(['a 101 at 03-04, of 03-01; 03-01 closed with 100; IN_TRANSIT -0 +1']);
  });
});

test('a first posting does not close a date that is sealed and swept', () => {
  const branch = friday({ rollPolicy: AFTER });
  cut(branch, AFTER);
  branch.seal(FRIDAY);
  branch.job('RollAccounts', { date: FRIDAY });
  expect(branch.post(branch.b, 5n)).toBe('accepted');
  // Nothing was booked on it on Friday: the sweep passed it over.
  expect(booked(branch)).toEqual(['b 5 at 03-04; 03-01 closed with 0; CASH -0 +5']);
});

test('accounts of a branch without dates are as ever, whatever their callers say', () => {
  const branch = friday();
  branch.accounts.open('free', { branchId: 'elsewhere', unit: 'CZK' });
  branch.post('free', 5n, { initiatedDate: '1996-02-29' });
  expect(booked(branch)).toEqual(['free 5']);
});

test('a request that is refused is in a group like any other, and closes nothing', () => {
  const branch = friday();
  cut(branch);
  expect(branch.post(branch.a, -500n)).toBe('INSUFFICIENT_FUNDS');
  expect(booked(branch)).toEqual(['a 100 at 03-04; 02-29 closed with 0; ']);
  expect(branch.accounts.daysOf(0).day(branch.accounts.ordinalOf(branch.a))).toEqual({ balanceMinor: 100n, lastDayBalanceMinor: 0n, lastDayDate: THURSDAY });
});

describe('a transfer', () => {
  const order = { requestId: 'transfer', amountMinor: 40n, unit: 'CZK' };

  /** The leg of a transfer from `a` to `b`, of another partition, that is on its way. */
  function onTheWay(branch: ReturnType<typeof friday>): DeliveryUnderWay {
    expect(branch.accounts.transfer({ ...order, fromAccountId: branch.a, toAccountId: branch.b })).toBe('accepted');
    return branch.accounts.deliveries[0] as DeliveryUnderWay;
  }

  test('within a partition has one date', () => {
    const branch = friday();
    cut(branch);
    expect(branch.accounts.transfer({ ...order, fromAccountId: branch.a, toAccountId: branch.b })).toBe('accepted');
    expect(booked(branch)).toEqual(['a 60 at 03-04; 03-01 closed with 100; INTER_BRANCH -40 +0', 'b 40 at 03-04; 03-01 closed with 0; INTER_BRANCH -0 +40']);
  });

  test('that is debited as the first posting behind the cut is dated Friday on both sides', () => {
    const branch = friday({ partitions: 2, rollPolicy: AFTER });
    cut(branch, AFTER);
    branch.accounts.deliver(onTheWay(branch));
    expect([booked(branch, 0), booked(branch, 1)]).toEqual([
      ['a 60 at 03-01; 03-01 closed with 60; INTER_BRANCH -40 +0'],
      ['b 40 at 03-01; 03-01 closed with 40; INTER_BRANCH -0 +40'],
    ]);
  });

  test('of Friday that comes behind the cut changes both balances, and is on its way until it is settled', () => {
    const branch = friday({ partitions: 2 });
    const leg = onTheWay(branch);
    cut(branch);
    expect(branch.outstanding(0, FRIDAY)).toBe(1);
    branch.accounts.deliver(leg);
    expect(booked(branch, 1)).toEqual(['b 40 at 03-01; 03-01 closed with 40; INTER_BRANCH -0 +40']);
    branch.accounts.settle(leg);
    expect(branch.outstanding(0, FRIDAY)).toBe(0);
  });

  test('of Friday that comes behind the seal goes through transit', () => {
    const branch = friday({ partitions: 2 });
    const leg = onTheWay(branch);
    cut(branch);
    branch.seal(FRIDAY);
    branch.accounts.deliver(leg);
    expect(booked(branch, 1)).toEqual(['b 40 at 03-04, of 03-01; 03-01 closed with 0; IN_TRANSIT -0 +40']);
  });

  test('of Monday closes Friday where the day is not cut yet; what is posted there until then changes both balances', () => {
    const branch = friday({ partitions: 2 });
    branch.setDayIn(0, { onlineDate: MONDAY, closedDate: FRIDAY, nextDate: TUESDAY });
    branch.accounts.deliver(onTheWay(branch));
    expect(booked(branch, 1)).toEqual(['b 40 at 03-04; 03-01 closed with 0; INTER_BRANCH -0 +40']);
    branch.post(branch.b, 1n);
    expect(booked(branch, 1)).toEqual(['b 41 at 03-01; 03-01 closed with 1; CASH -0 +1']);
  });

  test('of a branch that is ahead is booked at the online date until the closed date is totalled', () => {
    const branch = friday({ partitions: 2 });
    cut(branch);
    branch.accounts.open(branch.accounts.idIn(0, 'far'), { branchId: 'ahead', unit: 'CZK' });
    branch.setDayOf('ahead', TUESDAY, MONDAY);
    const far = branch.accounts.idIn(0, 'far');
    branch.post(branch.b, 7n, { initiatedDate: '1996-03-01' });
    branch.post(far, 100n);
    branch.accounts.transfer({ ...order, fromAccountId: far, toAccountId: branch.b });
    branch.accounts.deliverAll();
    expect(booked(branch, 1)).toEqual(['b 47 at 03-04, of 03-05; 03-01 closed with 7; INTER_BRANCH -0 +40']);
  });

  test.each([
    ['at its own date', false, 'a 100 at 03-01; 03-01 closed with 100; INTER_BRANCH -0 +40'],
    ['behind the seal through transit', true, 'a 100 at 03-04, of 03-01; 03-01 closed with 60; IN_TRANSIT -0 +40'],
  ])('that is refused is given back %s', (_, sealed, refund) => {
    const branch = friday({ partitions: 2 });
    branch.accounts.change('close', branch.b);
    const leg = onTheWay(branch);
    cut(branch);
    branch.accounts.deliver(leg);
    if (sealed) branch.seal(FRIDAY);
    branch.accounts.settle(leg);
    expect(booked(branch)).toEqual([refund]);
    expect(branch.outstanding(0, MONDAY)).toBe(0);
  });
});

test('what another capability takes, pays and gives back has a line of its own', () => {
  const branch = friday();
  const ask = (method: string, payload: Uint8Array): void => {
    const [verdict] = branch.accounts.internal(0, { capability: 'account', method, key: branch.a, payload, id: 'd', origin: 'delivery' });
    expect(verdict?.kind).toBe('accepted');
  };
  const funds = { requestId: 'prize', unit: 'CZK', amountMinor: 30n };
  ask('TakeFunds', logpb.TakeFunds.encode(logpb.TakeFunds.fromPartial({ ...funds, accountId: branch.a })).finish());
  expect(booked(branch)).toEqual(['a 70 at 03-01; 02-29 closed with 0; FUNDS -30 +0']);
  ask('PayFunds', logpb.PayFunds.encode(logpb.PayFunds.fromPartial({ ...funds, accountId: branch.b, fromAccountId: branch.a, amountMinor: 20n })).finish());
  expect(booked(branch)).toEqual(['b 20 at 03-01; 02-29 closed with 0; FUNDS -0 +20']);
  ask('SettleFunds', logpb.SettleFunds.encode(logpb.SettleFunds.fromPartial({ ...funds, accountId: branch.a, returnedMinor: 10n })).finish());
  expect(booked(branch)).toEqual(['a 80 at 03-01; 02-29 closed with 0; FUNDS -0 +10']);
});

test('an order of another capability that is refused comes back from the line of funds', () => {
  const branch = friday();
  branch.accounts.transfer({ requestId: 'gift', fromAccountId: branch.a, toAccountId: 'contest', toCapability: 'contest', amountMinor: 10n, unit: 'CZK' });
  expect(booked(branch)).toEqual(['a 90 at 03-01; 02-29 closed with 0; FUNDS -10 +0']);
  const [leg] = branch.accounts.deliveries as [DeliveryUnderWay];
  leg.verdict = { kind: 'rejected', reason: 'CONTEST_NOT_RUNNING', payload: new Uint8Array(0) };
  branch.accounts.settle(leg);
  expect(booked(branch)).toEqual(['a 100 at 03-01; 02-29 closed with 0; FUNDS -0 +10']);
});

describe('dates of a branch', () => {
  const set = (branch: BranchOfAccounts): number => branch.eventsOf('BranchDaySet').length;
  const dayOf = ({ accounts, a }: ReturnType<typeof friday>) => accounts.daysOf(0).day(accounts.ordinalOf(a));

  test('are taken once, and go forward only', () => {
    const branch = friday();
    cut(branch);
    expect(set(branch)).toBe(2);
    cut(branch);
    branch.setDay(FRIDAY, THURSDAY);
    expect(set(branch)).toBe(2);
    expect(branch.accounts.daysOf(0).branch('55')).toMatchObject({ onlineDate: MONDAY, closedDate: FRIDAY, sealedDate: THURSDAY });
  });

  test('that are set by hand go back, too: what accounts have is what they closed with', () => {
    const branch = friday();
    cut(branch);
    branch.post(branch.a, 7n);
    branch.setDay(THURSDAY, THURSDAY - 1, { byHand: true });
    expect(dayOf(branch)).toEqual({ balanceMinor: 107n, lastDayBalanceMinor: 107n, lastDayDate: THURSDAY - 1 });
    for (const again of ['replayAll', 'restoreAll'] as const) {
      branch.accounts[again]();
      expect(dayOf(branch)).toEqual({ balanceMinor: 107n, lastDayBalanceMinor: 107n, lastDayDate: THURSDAY - 1 });
    }
  });

  test('are sealed once, and only behind the cut', () => {
    const branch = friday();
    branch.seal(FRIDAY);
    cut(branch);
    for (const date of [FRIDAY, FRIDAY, THURSDAY, MONDAY]) branch.seal(date);
    expect(branch.eventsOf('BranchDaySealed').map((payload) => accountpb.BranchDaySealed.decode(payload))).toEqual([{ branchId: '55', date: FRIDAY }]);
  });
});

describe('the sweep', () => {
  test('names accounts that closed with another balance only, in steps of any size, once', () => {
    const branch = friday();
    for (let at = 0; at < 5; at += 1) branch.open(`idle ${at}`, 'current');
    cut(branch);
    branch.seal(FRIDAY);
    for (let again = 0; again < 2; again += 1) {
      const steps = branch.job('RollAccounts', { date: FRIDAY, limit: 3 });
      expect(steps.map(({ next, complete, accounts, lookedAt, changed }) => [next, complete, accounts, lookedAt, changed])).toEqual([
        [3n, false, 7n, 3n, again === 0 ? 1n : 0n],
        [6n, false, 7n, 3n, 0n],
        [7n, true, 7n, 1n, 0n],
      ]);
    }
    const rolled = branch.eventsOf('AccountsRolled').flatMap((payload) => accountpb.AccountsRolled.decode(payload).accounts);
    expect(rolled).toEqual([{ accountId: branch.a, balanceMinor: 100n }]);
  });

  test('finds rolled what a posting has rolled, and does nothing before the cut', () => {
    const branch = friday();
    expect(branch.step(0, 'RollAccounts', { date: FRIDAY })).toMatchObject({ changed: 0n });
    expect(branch.eventsOf('AccountsRolled')).toEqual([]);
    cut(branch);
    branch.seal(FRIDAY);
    branch.accounts.posts([{ requestId: 'first', accountId: branch.a, type: DEBIT, amountMinor: 1n, unit: 'CZK' }]);
    expect(branch.step(0, 'RollAccounts', { date: FRIDAY })).toMatchObject({ changed: 0n, complete: true });
  });
});

test('a restored snapshot has the columns of accounts that were opened before and after the branch had dates', () => {
  const branch = new BranchOfAccounts(1);
  branch.open('old', 'current');
  branch.post('old', 5n);
  branch.setDay(FRIDAY, THURSDAY);
  branch.open('new', 'savings');
  branch.post('new', 6n);
  branch.accounts.restoreAll();
  const days = branch.accounts.daysOf(0);
  expect(['old', 'new'].map((id) => days.day(branch.accounts.ordinalOf(id)))).toEqual([
    { balanceMinor: 5n, lastDayBalanceMinor: 5n, lastDayDate: THURSDAY },
    { balanceMinor: 6n, lastDayBalanceMinor: 0n, lastDayDate: THURSDAY },
  ]);
  expect(days.classAt(branch.accounts.ordinalOf('new'))).toMatchObject({ branchId: '55', product: 'savings', unit: 'CZK' });
});
