/** Transfers and expiring holds at the accounts of several partitions, with deliveries and timers in the hands of the test. */
import { accountpb, postingsRecordedIn } from '@sluice/protocol/account';
import { AccountsOfPartitions, type DeliveryUnderWay } from '../test/accounts-of-partitions';
import { verdictIn } from '../test/verdict-in';

const {
  POSTING_TYPE_CREDIT: CREDIT,
  POSTING_TYPE_DEBIT: DEBIT,
  POSTING_TYPE_HOLD: HOLD,
  POSTING_TYPE_CAPTURE: CAPTURE,
  POSTING_TYPE_RELEASE: RELEASE,
} = accountpb.PostingType;

/** Alice and Anna are of one partition, Bob is of another; Alice has 100. */
function threeAccounts() {
  const accounts = new AccountsOfPartitions();
  const [alice, anna, bob] = [accounts.idIn(0, 'alice'), accounts.idIn(0, 'anna'), accounts.idIn(1, 'bob')];
  for (const accountId of [alice, anna, bob]) expect(accounts.open(accountId)).toBe('accepted');
  expect(accounts.post({ requestId: 'funds', accountId: alice, type: CREDIT, amountMinor: 100n })).toBe('accepted');
  return { accounts, alice, anna, bob };
}

const first = (accounts: AccountsOfPartitions): DeliveryUnderWay => accounts.deliveries[0] as DeliveryUnderWay;

/** Posting by posting, what the newest commit of the partition recorded: account, type, amount, rejection, other sides. */
function recorded(accounts: AccountsOfPartitions, partition: number) {
  return accounts
    .lastEvents(partition)
    .filter(({ type }) => type === 'account.PostingsRecorded')
    .map(({ payload }) => accountpb.PostingsRecorded.decode(payload).accounts.flatMap(({ requests }) => requests?.postings ?? []));
}

describe('a transfer within a partition', () => {
  test('is one event that moves both accounts, and each side names the other', () => {
    const { accounts, alice, anna } = threeAccounts();
    expect(accounts.transfer({ requestId: 'rent', fromAccountId: alice, toAccountId: anna, amountMinor: 30n, channel: 'app', metadata: { for: 'may' } })).toBe(
      'accepted',
    );
    expect([accounts.account(alice).balanceMinor, accounts.account(anna).balanceMinor]).toEqual([70n, 30n]);
    const events = recorded(accounts, 0);
    expect(events).toHaveLength(1);
    expect(events[0]).toEqual([
      expect.objectContaining({
        accountId: alice,
        requestId: 'rent',
        type: DEBIT,
        amountMinor: 30n,
        toAccountId: anna,
        channel: 'app',
        metadata: { for: 'may' },
      }),
      expect.objectContaining({
        accountId: anna,
        requestId: 'rent',
        type: CREDIT,
        amountMinor: 30n,
        fromAccountId: alice,
        channel: 'app',
        metadata: { for: 'may' },
      }),
    ]);
    const [transfers] = accounts.lastEvents(0).filter(({ type }) => type === 'account.TransfersRecorded');
    expect(accountpb.TransfersRecorded.decode(transfers?.payload ?? new Uint8Array()).accounts).toEqual([
      {
        accountId: alice,
        unit: 'EUR',
        pendingDates: [],
        pendingMinor: 0n,
        transfers: [{ requestId: 'rent', toAccountId: anna, amountMinor: 30n, pending: false }],
      },
    ]);
    expect(accounts.deliveries).toEqual([]);
    expect(accounts.account(alice).inTransitMinor).toBe(0n);
  });

  test('is refused as a whole when its target refuses it', () => {
    const { accounts, alice, anna } = threeAccounts();
    accounts.change('close', anna);
    expect(accounts.transfer({ requestId: 'late', fromAccountId: alice, toAccountId: anna, amountMinor: 30n })).toBe('TARGET_CLOSED');
    expect(accounts.account(alice)).toMatchObject({ balanceMinor: 100n, rejectionCount: 1 });
    expect(accounts.account(anna)).toMatchObject({ balanceMinor: 0n, rejectionCount: 0 });
  });

  test('of huge amounts keeps both legs in one commit', () => {
    const { accounts, alice, anna } = threeAccounts();
    const huge = 1n << 61n;
    accounts.post({ requestId: 'huge', accountId: alice, type: CREDIT, amountMinor: huge });
    expect(accounts.transfers([1, 2].map((at) => ({ requestId: `t${at}`, fromAccountId: alice, toAccountId: anna, amountMinor: huge / 2n })))).toEqual([
      'accepted',
      'accepted',
    ]);
    expect([accounts.account(alice).balanceMinor, accounts.account(anna).balanceMinor]).toEqual([100n, huge]);
    accounts.replayAll();
    expect([accounts.account(alice).balanceMinor, accounts.account(anna).balanceMinor]).toEqual([100n, huge]);
  });
});

describe('a transfer to another partition', () => {
  test('is in transit until its target has it', () => {
    const { accounts, alice, bob } = threeAccounts();
    expect(accounts.transfer({ requestId: 'gift', fromAccountId: alice, toAccountId: bob, amountMinor: 30n })).toBe('accepted');
    expect(accounts.account(alice)).toMatchObject({ balanceMinor: 70n, inTransitMinor: 30n });
    expect(accounts.deliveries).toEqual([
      expect.objectContaining({ capability: 'account', method: 'TransferLeg', key: bob, owedBy: { capability: 'account', key: alice } }),
    ]);
    const delivery = first(accounts);
    expect(accounts.deliver(delivery)).toMatchObject({ kind: 'accepted' });
    expect(accounts.account(bob).balanceMinor).toBe(30n);
    expect(recorded(accounts, 1)[0]).toEqual([expect.objectContaining({ accountId: bob, requestId: 'gift', type: CREDIT, fromAccountId: alice })]);
    accounts.settle(delivery);
    expect(accounts.account(alice)).toMatchObject({ balanceMinor: 70n, inTransitMinor: 0n });
    expect(accounts.lastEvents(0).map(({ type }) => type)).toEqual(['account.TransfersSettled']);
  });

  test('that its target refuses is given back through a freeze, a maximum, a limit and the allowed types', () => {
    const { accounts, alice, bob } = threeAccounts();
    accounts.change('close', bob);
    accounts.transfer({ requestId: 'gift', fromAccountId: alice, toAccountId: bob, amountMinor: 30n });
    expect(accounts.update(alice, { maximumBalanceMinor: 1n, maximumPostingMinor: 1n, allowedTypes: [HOLD] })).toBe('accepted');
    expect(accounts.change('freeze', alice)).toBe('accepted');
    const delivery = first(accounts);
    expect(accounts.deliver(delivery)).toEqual({ kind: 'rejected', reason: 'TARGET_CLOSED', payload: new Uint8Array(0) });
    accounts.settle(delivery);
    expect(accounts.account(alice)).toMatchObject({ balanceMinor: 100n, inTransitMinor: 0n, entryCount: 3 });
    expect(recorded(accounts, 0)[0]).toEqual([
      expect.objectContaining({ accountId: alice, requestId: 'gift', type: CREDIT, amountMinor: 30n, toAccountId: bob }),
    ]);
    const settled = accounts.lastEvents(0).find(({ type }) => type === 'account.TransfersSettled');
    expect(accountpb.TransfersSettled.decode(settled?.payload ?? new Uint8Array()).accounts).toEqual([
      {
        accountId: alice,
        amountMinor: 30n,
        settledDates: [],
        transfers: [{ requestId: 'gift', rejection: accountpb.Rejection.REJECTION_TARGET_CLOSED, targetReason: '' }],
      },
    ]);
  });

  test('keeps its account from being closed until it has its verdict', () => {
    const { accounts, alice, bob } = threeAccounts();
    accounts.transfer({ requestId: 'all', fromAccountId: alice, toAccountId: bob, amountMinor: 100n });
    expect(accounts.change('close', alice)).toBe('TRANSFERS_PENDING');
    accounts.deliverAll();
    expect(accounts.change('close', alice)).toBe('accepted');
  });

  test('leaves room for its refund', () => {
    const { accounts, alice, bob } = threeAccounts();
    const most = (1n << 63n) - 1n;
    accounts.transfer({ requestId: 'gift', fromAccountId: alice, toAccountId: bob, amountMinor: 30n });
    expect(accounts.post({ requestId: 'too much', accountId: alice, type: CREDIT, amountMinor: most - 99n })).toBe('AMOUNT_OVERFLOW');
    expect(accounts.post({ requestId: 'just enough', accountId: alice, type: CREDIT, amountMinor: most - 100n })).toBe('accepted');
  });

  test('is not applied twice by a request of the same id at its target', () => {
    const { accounts, alice, bob } = threeAccounts();
    accounts.transfer({ requestId: 'gift', fromAccountId: alice, toAccountId: bob, amountMinor: 30n });
    accounts.deliver(first(accounts));
    const commit = accounts.commits[1]?.at(-1);
    if (commit === undefined) throw new Error('nothing was committed');
    expect(verdictIn(commit, bob, 'gift')).toBeUndefined();
  });

  test.each([
    ['another method', { method: 'Teleport' }],
    ['bytes that are no message', { payload: Uint8Array.of(0x0a, 0x05, 1) }],
    [
      'an ordinary posting',
      {
        payload: accountpb.TransferLeg.encode({
          businessDate: undefined,
          posting: accountpb.Posting.fromPartial({ requestId: 'r', accountId: 'a', type: CREDIT, amountMinor: 1n, unit: 'EUR' }),
        }).finish(),
      },
    ],
  ])('cannot be decided from %s, and nothing behind it is', (_name, wrong) => {
    const { accounts, alice, bob } = threeAccounts();
    accounts.transfer({ requestId: 'gift', fromAccountId: alice, toAccountId: bob, amountMinor: 30n });
    const leg = { ...first(accounts), id: 'd', origin: 'delivery' as const };
    expect(accounts.internal(1, leg, { ...leg, ...wrong }, leg).map(({ kind }) => kind)).toEqual(['accepted', 'undecidable']);
  });
});

describe('the same checks in both ways', () => {
  const most = (1n << 63n) - 1n;
  // Each row mends what the row above it is refused for.
  test.each`
    target                                                                        | order                    | reason
    ${undefined}                                                                  | ${{}}                    | ${'TARGET_NOT_FOUND'}
    ${{ unit: 'USD', limits: { allowedTypes: [HOLD], maximumPostingMinor: 1n } }} | ${{}}                    | ${'TARGET_UNIT_MISMATCH'}
    ${{ limits: { allowedTypes: [HOLD], maximumPostingMinor: 1n } }}              | ${{}}                    | ${'TARGET_TYPE_NOT_ALLOWED'}
    ${{ limits: { maximumPostingMinor: 1n, maximumBalanceMinor: 1n } }}           | ${{}}                    | ${'TARGET_POSTING_LIMIT_EXCEEDED'}
    ${{ limits: { maximumBalanceMinor: 1n } }}                                    | ${{}}                    | ${'TARGET_MAXIMUM_BALANCE_EXCEEDED'}
    ${{}}                                                                         | ${{ unit: 'USD' }}       | ${'UNIT_MISMATCH'}
    ${{}}                                                                         | ${{ amountMinor: 0n }}   | ${'AMOUNT_NOT_POSITIVE'}
    ${{}}                                                                         | ${{ amountMinor: 101n }} | ${'INSUFFICIENT_FUNDS'}
    ${{}}                                                                         | ${{ amountMinor: most }} | ${'INSUFFICIENT_FUNDS'}
    ${{}}                                                                         | ${{}}                    | ${'accepted'}
  `(
    '$reason',
    ({ target, order, reason }: { target: Partial<accountpb.AccountOpening> | undefined; order: Partial<accountpb.TransferOrder>; reason: string }) => {
      for (const partition of [0, 1]) {
        const { accounts, alice } = threeAccounts();
        const to = accounts.idIn(partition, 'target');
        if (target !== undefined) expect(accounts.open(to, target)).toBe('accepted');
        const verdict = accounts.transfer({ requestId: 't', fromAccountId: alice, toAccountId: to, amountMinor: 30n, ...order });
        if (partition === 0 || !reason.startsWith('TARGET_')) expect(verdict).toBe(reason);
        else {
          expect(verdict).toBe('accepted');
          expect(accounts.deliver(first(accounts))).toMatchObject({ kind: 'rejected', reason });
          accounts.settle(first(accounts));
        }
        accounts.deliverAll();
        expect(accounts.account(alice).balanceMinor).toBe(reason === 'accepted' ? 70n : 100n);
      }
    },
  );

  test.each`
    what                     | order
    ${'no target'}           | ${{ toAccountId: '' }}
    ${'a target too long'}   | ${{ toAccountId: 'x'.repeat(129) }}
    ${'no debited account'}  | ${{ fromAccountId: '' }}
    ${'no request id'}       | ${{ requestId: '' }}
    ${'no unit'}             | ${{ unit: '' }}
    ${'a date that is none'} | ${{ initiatedDate: '2026-02-30' }}
    ${'a channel too long'}  | ${{ channel: 'x'.repeat(65) }}
    ${'too many pairs'}      | ${{ metadata: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`k${at}`, ''])) }}
  `('$what is refused for its shape', ({ order }: { order: Partial<accountpb.TransferOrder> }) => {
    const { accounts, alice, bob } = threeAccounts();
    const good = { requestId: 'good', fromAccountId: alice, toAccountId: bob, amountMinor: 1n };
    expect(accounts.transfers([good, { ...good, requestId: 'bad', ...order }])).toEqual(['accepted', 'INVALID_REQUEST']);
  });

  test('an account cannot transfer to itself', () => {
    const { accounts, alice } = threeAccounts();
    expect(accounts.transfer({ requestId: 't', fromAccountId: alice, toAccountId: alice, amountMinor: 1n })).toBe('INVALID_REQUEST');
  });

  test.each([{ toAccountId: 'x' }, { fromAccountId: 'x' }, { holdExpired: true }, { interest: true }])(
    'a posting of a caller cannot pretend to be the engine’s: %j',
    (mark) => {
      const { accounts, alice } = threeAccounts();
      expect(accounts.post({ requestId: 'p', accountId: alice, type: CREDIT, amountMinor: 1n, ...mark })).toBe('INVALID_REQUEST');
    },
  );
});

describe('holds that expire', () => {
  const expiring = (accountId: string) => ({ requestId: 'h', accountId, type: HOLD, amountMinor: 40n, expiresAfterMs: 5_000n });

  test('what is left is released when the timer fires, with an entry that says so', () => {
    const { accounts, alice } = threeAccounts();
    expect(accounts.post(expiring(alice))).toBe('accepted');
    const [timer] = [...accounts.timers.values()];
    expect(timer).toMatchObject({
      capability: 'account',
      method: 'ExpireNamedHold',
      key: alice,
      dueAtUs: accounts.nowUs + 5_000_000,
      payload: new Uint8Array(0),
    });
    accounts.post({ requestId: 'c', accountId: alice, type: CAPTURE, amountMinor: 10n, holdId: 'h' });
    accounts.change('freeze', alice);
    expect(accounts.fire(timer as never)).toMatchObject({ kind: 'accepted' });
    expect(accounts.account(alice)).toMatchObject({ balanceMinor: 90n, heldMinor: 0n });
    expect(recorded(accounts, 0)[0]).toEqual([
      expect.objectContaining({ accountId: alice, requestId: 'h', holdId: 'h', type: RELEASE, amountMinor: 30n, holdExpired: true }),
    ]);
  });

  test('a timer of a log of before, whose payload names the hold, releases it; one that names none is kept', () => {
    const { accounts, alice } = threeAccounts();
    accounts.post(expiring(alice));
    const [timer] = [...accounts.timers.values()];
    expect(accounts.fire({ ...timer, timerId: 'other' } as never)).toMatchObject({ kind: 'undecidable' });
    const payload = accountpb.ExpireHold.encode({ accountId: alice, holdId: 'h' }).finish();
    expect(accounts.fire({ ...timer, method: 'ExpireHold', payload } as never)).toMatchObject({ kind: 'accepted' });
    expect(accounts.account(alice)).toMatchObject({ balanceMinor: 100n, heldMinor: 0n });
  });

  test.each(['CAPTURE', 'RELEASE'] as const)('%s in full cancels the timer', (type) => {
    const { accounts, alice } = threeAccounts();
    accounts.post(expiring(alice));
    const [timer] = [...accounts.timers.values()];
    accounts.post({ requestId: 'part', accountId: alice, type: RELEASE, amountMinor: 10n, holdId: 'h' });
    expect(accounts.timers.size).toBe(1);
    accounts.post({ requestId: 'rest', accountId: alice, type: accountpb.PostingType[`POSTING_TYPE_${type}`], amountMinor: 30n, holdId: 'h' });
    expect(accounts.timers.size).toBe(0);
    // One that fires all the same finds nothing to do.
    const commits = accounts.commits[0]?.length ?? 0;
    expect(accounts.fire(timer as never)).toMatchObject({ kind: 'accepted' });
    expect(accounts.commits[0]?.slice(commits).flatMap(({ events }) => events)).toEqual([]);
  });

  test('of a capture and the expiry at the same moment one has the hold', () => {
    for (const captureFirst of [true, false]) {
      const { accounts, alice } = threeAccounts();
      accounts.post(expiring(alice));
      const [timer] = [...accounts.timers.values()];
      const capture = () => accounts.post({ requestId: 'c', accountId: alice, type: CAPTURE, amountMinor: 40n, holdId: 'h' });
      if (captureFirst) expect(capture()).toBe('accepted');
      accounts.fire(timer as never);
      if (!captureFirst) expect(capture()).toBe('HOLD_NOT_FOUND');
      expect(accounts.account(alice)).toMatchObject({ balanceMinor: captureFirst ? 60n : 100n, heldMinor: 0n });
    }
  });

  test.each`
    what                      | posting
    ${'an expiry of a debit'} | ${{ type: DEBIT, expiresAfterMs: 1n }}
    ${'both'}                 | ${{ expiresAfterMs: 1n, expiresAtUs: 1n }}
    ${'a time before 1970'}   | ${{ expiresAtUs: -1n }}
    ${'a time beyond 2^53'}   | ${{ expiresAtUs: 1n << 53n }}
    ${'a duration below 0'}   | ${{ expiresAfterMs: -1n }}
    ${'more than ten years'}  | ${{ expiresAfterMs: 315_360_000_001n }}
  `('$what is refused', ({ posting }: { posting: Partial<accountpb.Posting> }) => {
    const { accounts, alice } = threeAccounts();
    expect(accounts.post({ requestId: 'h', accountId: alice, type: HOLD, amountMinor: 1n, ...posting })).toBe('INVALID_REQUEST');
  });

  test('a hold that expires keeps its time over a replay and a snapshot', () => {
    const { accounts, alice, bob } = threeAccounts();
    accounts.post(expiring(alice));
    accounts.transfer({ requestId: 't', fromAccountId: alice, toAccountId: bob, amountMinor: 7n });
    for (const again of ['replayAll', 'restoreAll'] as const) {
      const before = structuredClone({ expiries: accounts.account(alice).holdExpiries, transit: accounts.account(alice).inTransitMinor });
      expect(before.transit).toBe(7n);
      accounts[again]();
      expect({ expiries: accounts.account(alice).holdExpiries, transit: accounts.account(alice).inTransitMinor }).toEqual(before);
    }
    accounts.post({ requestId: 'c', accountId: alice, type: CAPTURE, amountMinor: 40n, holdId: 'h' });
    expect(accounts.timers.size).toBe(0);
  });
});

test('what a commit records of postings is read without decoding them', () => {
  const { accounts, alice, anna } = threeAccounts();
  accounts.transfer({ requestId: 't', fromAccountId: alice, toAccountId: anna, amountMinor: 1n });
  const [event] = accounts.lastEvents(0);
  expect([...postingsRecordedIn(event?.payload ?? new Uint8Array())].map(({ postings }) => postings.accountId)).toEqual([alice, anna]);
});
