/** Postings end to end: the order of the checks, holds, limits, statuses, atomic batches; what is answered and what is recorded. */
import { accountpb } from '@sluice/protocol/account';
import type { SluiceError } from '@sluice/service';
import { CommandUnderTest, posting, reasonOf, verdictOf } from '../test/command-under-test';

afterAll(() => CommandUnderTest.stopAll());

const INT64_MAX = (1n << 63n) - 1n;
const key = Buffer.alloc(16, 7);

describe('the order of the checks: each row fails a check and all that come after it', () => {
  let command: CommandUnderTest;

  beforeAll(async () => {
    command = await CommandUnderTest.start();
    const limits = {
      overdraftMinor: 0n,
      maximumBalanceMinor: 100n,
      maximumPostingMinor: 50n,
      allowedTypes: [accountpb.PostingType.POSTING_TYPE_CREDIT, accountpb.PostingType.POSTING_TYPE_HOLD],
    };
    await command.open({ accountId: 'signed', signingKey: key });
    await command.open({ accountId: 'frozen', limits });
    await command.freeze({ requestId: 'freeze', accountId: 'frozen' });
    await command.open({ accountId: 'closed', limits });
    await command.close({ requestId: 'close', accountId: 'closed' });
    await command.open({ accountId: 'limited', limits });
    await command.post(posting('CREDIT', 'first', 30n, { accountId: 'limited' }));
    await command.open({ accountId: 'poor', limits: { overdraftMinor: 0n, maximumBalanceMinor: undefined, maximumPostingMinor: undefined, allowedTypes: [] } });
  });

  test.each`
    what                              | accountId    | type         | amount       | unit     | rest                               | reason
    ${'shape before repeat'}          | ${'limited'} | ${'CREDIT'}  | ${-1n}       | ${''}    | ${{ requestId: 'first' }}          | ${'INVALID_REQUEST'}
    ${'type before repeat'}           | ${'limited'} | ${'CREDIT'}  | ${-1n}       | ${'USD'} | ${{ requestId: 'first', type: 9 }} | ${'POSTING_TYPE_UNKNOWN'}
    ${'repeat before all the rest'}   | ${'limited'} | ${'DEBIT'}   | ${-1n}       | ${'USD'} | ${{ requestId: 'first' }}          | ${'REQUEST_ID_REUSED'}
    ${'account'}                      | ${'nobody'}  | ${'DEBIT'}   | ${-1n}       | ${'USD'} | ${{}}                              | ${'ACCOUNT_NOT_FOUND'}
    ${'signature'}                    | ${'signed'}  | ${'DEBIT'}   | ${-1n}       | ${'USD'} | ${{}}                              | ${'SIGNATURE_INVALID'}
    ${'amount'}                       | ${'frozen'}  | ${'DEBIT'}   | ${0n}        | ${'USD'} | ${{}}                              | ${'AMOUNT_NOT_POSITIVE'}
    ${'unit'}                         | ${'frozen'}  | ${'DEBIT'}   | ${60n}       | ${'USD'} | ${{}}                              | ${'UNIT_MISMATCH'}
    ${'status: frozen'}               | ${'frozen'}  | ${'DEBIT'}   | ${60n}       | ${'EUR'} | ${{}}                              | ${'ACCOUNT_FROZEN'}
    ${'status: closed'}               | ${'closed'}  | ${'DEBIT'}   | ${60n}       | ${'EUR'} | ${{}}                              | ${'ACCOUNT_CLOSED'}
    ${'type allowed'}                 | ${'limited'} | ${'DEBIT'}   | ${60n}       | ${'EUR'} | ${{}}                              | ${'TYPE_NOT_ALLOWED'}
    ${'limit of one posting'}         | ${'limited'} | ${'HOLD'}    | ${60n}       | ${'EUR'} | ${{}}                              | ${'POSTING_LIMIT_EXCEEDED'}
    ${'funds'}                        | ${'limited'} | ${'HOLD'}    | ${50n}       | ${'EUR'} | ${{}}                              | ${'INSUFFICIENT_FUNDS'}
    ${'maximum after what it allows'} | ${'limited'} | ${'CREDIT'}  | ${50n}       | ${'EUR'} | ${{}}                              | ${'accepted'}
    ${'maximum'}                      | ${'limited'} | ${'CREDIT'}  | ${50n}       | ${'EUR'} | ${{}}                              | ${'MAXIMUM_BALANCE_EXCEEDED'}
    ${'the largest amount'}           | ${'poor'}    | ${'CREDIT'}  | ${INT64_MAX} | ${'EUR'} | ${{}}                              | ${'accepted'}
    ${'overflow'}                     | ${'poor'}    | ${'CREDIT'}  | ${1n}        | ${'EUR'} | ${{}}                              | ${'AMOUNT_OVERFLOW'}
    ${'hold that is not there'}       | ${'poor'}    | ${'CAPTURE'} | ${1n}        | ${'EUR'} | ${{ holdId: 'none' }}              | ${'HOLD_NOT_FOUND'}
  `(
    '$what',
    async ({
      what,
      accountId,
      type,
      amount,
      unit,
      rest,
      reason,
    }: {
      what: string;
      accountId: string;
      type: 'CREDIT';
      amount: bigint;
      unit: string;
      rest: object;
      reason: string;
    }) => {
      expect(await reasonOf(command.post(posting(type, what, amount, { accountId, unit, ...rest })))).toBe(reason);
    },
  );

  test('a refusal of the state is recorded, the others are not', () => {
    const recorded = command.recorded().flatMap(({ requests }) => requests?.postings.map(({ requestId }) => requestId) ?? []);
    expect(recorded.filter((id) => ['account', 'signature', 'amount', 'shape before repeat', 'type before repeat'].includes(id))).toEqual([]);
    expect(recorded).toEqual(
      expect.arrayContaining([
        'unit',
        'status: frozen',
        'status: closed',
        'type allowed',
        'limit of one posting',
        'funds',
        'maximum',
        'overflow',
        'hold that is not there',
      ]),
    );
  });
});

test('holds: set aside, captured in part, captured at last, released, and once only', async () => {
  const command = await CommandUnderTest.start();
  await command.open({ accountId: 'hot' });
  const steps: [Partial<accountpb.Posting>, string, bigint, bigint][] = [
    [posting('CREDIT', 'c', 100n), 'accepted', 100n, 0n],
    [posting('HOLD', 'h', 60n), 'accepted', 100n, 60n],
    [posting('DEBIT', 'd1', 41n), 'INSUFFICIENT_FUNDS', 100n, 60n],
    [posting('DEBIT', 'd2', 40n), 'accepted', 60n, 60n],
    [posting('CAPTURE', 'p1', 20n, { holdId: 'h' }), 'accepted', 40n, 40n],
    [posting('CAPTURE', 'p2', 41n, { holdId: 'h' }), 'HOLD_EXCEEDED', 40n, 40n],
    [posting('RELEASE', 'l1', 10n, { holdId: 'h' }), 'accepted', 40n, 30n],
    [posting('CAPTURE', 'p3', 5n, { holdId: 'h', final: true }), 'accepted', 35n, 0n],
    [posting('RELEASE', 'l2', 1n, { holdId: 'h' }), 'HOLD_NOT_FOUND', 35n, 0n],
    [posting('HOLD', 'h', 60n), 'accepted again', 100n, 60n],
    [posting('HOLD', 'h2', 35n), 'accepted', 35n, 35n],
  ];
  const answer = await command.batch(steps.map(([one]) => one));
  expect(answer.results.map((result) => [verdictOf(result), result.balanceAfterMinor, result.heldAfterMinor])).toEqual(
    steps.map(([, ...expected]) => expected),
  );
  await command.restart();
  expect(await reasonOf(command.post(posting('DEBIT', 'd3', 1n)))).toBe('INSUFFICIENT_FUNDS');
  expect((await command.post(posting('RELEASE', 'l3', 35n, { holdId: 'h2' }))).result).toMatchObject({ balanceAfterMinor: 35n, heldAfterMinor: 0n });
});

test.each`
  said           | fields
  ${'a hold id'} | ${{ holdId: 'h' }}
  ${'final'}     | ${{ final: true }}
`('$said is refused on a posting that it has no meaning for', async ({ fields }: { fields: Partial<accountpb.Posting> }) => {
  const command = await CommandUnderTest.start();
  await command.open({ accountId: 'hot' });
  for (const type of ['CREDIT', 'DEBIT', 'HOLD'] as const) expect(await reasonOf(command.post(posting(type, `r-${type}`, 1n, fields)))).toBe('INVALID_REQUEST');
  expect(command.recorded()).toEqual([]);
});

test('a refused posting says at which balance, also a single one; what says nothing of the account does not', async () => {
  const command = await CommandUnderTest.start();
  await command.open({ accountId: 'hot' });
  await command.post(posting('CREDIT', 'c', 7n));
  const refused = () => command.post(posting('DEBIT', 'd', 8n)).catch((error: SluiceError) => error.metadata);
  expect(await refused()).toEqual({ balance_minor: '7', held_minor: '0', repeated: 'false' });
  expect(await refused()).toEqual({ balance_minor: '7', held_minor: '0', repeated: 'true' });
  expect(await command.post(posting('CREDIT', 'c', 9n)).catch((error: SluiceError) => [error.reason, error.metadata])).toEqual(['REQUEST_ID_REUSED', {}]);
  const { results } = await command.batch([posting('DEBIT', 'd2', 8n), posting('CREDIT', 'c', 9n)]);
  expect(results.map(({ balanceAfterMinor }) => balanceAfterMinor)).toEqual([7n, 0n]);
});

test('an account keeps at most 10,000 open holds', async () => {
  const command = await CommandUnderTest.start();
  await command.open({ accountId: 'hot' });
  await command.post(posting('CREDIT', 'c', 1_000_000n));
  const answer = await command.batch(Array.from({ length: 10_000 }, (_, at) => posting('HOLD', `h${at}`, 1n)));
  expect(answer.acceptedCount).toBe(10_000);
  expect(await reasonOf(command.post(posting('HOLD', 'one more', 1n)))).toBe('TOO_MANY_HOLDS');
  await command.restart();
  expect(await reasonOf(command.post(posting('HOLD', 'and another', 1n)))).toBe('TOO_MANY_HOLDS');
  await command.post(posting('RELEASE', 'l', 1n, { holdId: 'h77' }));
  expect(await reasonOf(command.post(posting('HOLD', 'fits', 1n)))).toBe('accepted');
});

test('frozen: CREDIT and RELEASE only; open again; closed when empty, for ever', async () => {
  const command = await CommandUnderTest.start();
  await command.open({ accountId: 'hot' });
  await command.batch([posting('CREDIT', 'c', 10n), posting('HOLD', 'h', 4n)]);
  expect(await command.freeze({ requestId: 'f', accountId: 'hot', note: 'asked by the bank' })).toMatchObject({
    status: accountpb.AccountStatus.ACCOUNT_STATUS_FROZEN,
    version: 4n,
  });
  expect(await reasonOf(command.freeze({ requestId: 'f2', accountId: 'hot' }))).toBe('ALREADY_FROZEN');
  const frozen = await command.batch([
    posting('CREDIT', 'c2', 1n),
    posting('DEBIT', 'd', 1n),
    posting('HOLD', 'h2', 1n),
    posting('CAPTURE', 'p', 1n, { holdId: 'h' }),
    posting('RELEASE', 'l', 4n, { holdId: 'h' }),
  ]);
  expect(frozen.results.map(verdictOf)).toEqual(['accepted', 'ACCOUNT_FROZEN', 'ACCOUNT_FROZEN', 'ACCOUNT_FROZEN', 'accepted']);
  expect(await reasonOf(command.close({ requestId: 'x', accountId: 'hot' }))).toBe('BALANCE_NOT_ZERO');
  expect(await command.unfreeze({ requestId: 'u', accountId: 'hot' })).toMatchObject({
    status: accountpb.AccountStatus.ACCOUNT_STATUS_OPEN,
    balanceMinor: 11n,
  });
  expect(await reasonOf(command.unfreeze({ requestId: 'u2', accountId: 'hot' }))).toBe('NOT_FROZEN');
  await command.batch([posting('HOLD', 'h3', 1n), posting('DEBIT', 'd2', 10n)]);
  expect(await reasonOf(command.close({ requestId: 'x2', accountId: 'hot' }))).toBe('HOLDS_OPEN');
  await command.post(posting('CAPTURE', 'p2', 1n, { holdId: 'h3' }));
  await command.restart();
  expect(await command.close({ requestId: 'x3', accountId: 'hot' })).toMatchObject({ status: accountpb.AccountStatus.ACCOUNT_STATUS_CLOSED, balanceMinor: 0n });
  expect(await reasonOf(command.post(posting('CREDIT', 'late', 1n)))).toBe('ACCOUNT_CLOSED');
  expect(await reasonOf(command.update({ requestId: 'up', accountId: 'hot', product: 'p' }))).toBe('ACCOUNT_CLOSED');
  expect(await reasonOf(command.open({ accountId: 'hot', requestId: 'again' }))).toBe('ACCOUNT_EXISTS');
  await command.restart();
  expect(await reasonOf(command.post(posting('CREDIT', 'later', 1n)))).toBe('ACCOUNT_CLOSED');
});

test('sums of one turn stay within int64 however often an account is filled and emptied', async () => {
  const command = await CommandUnderTest.start();
  await command.open({
    accountId: 'hot',
    limits: { overdraftMinor: INT64_MAX, maximumBalanceMinor: undefined, maximumPostingMinor: undefined, allowedTypes: [] },
  });
  const swings = Array.from({ length: 12 }, (_, at) => posting(at % 2 === 0 ? 'CREDIT' : 'DEBIT', `s${at}`, INT64_MAX));
  const answer = await command.batch([
    posting('CREDIT', 'small', 5n),
    posting('DEBIT', 'small too', 5n),
    ...swings,
    posting('DEBIT', 'to the ground', INT64_MAX),
  ]);
  expect(answer.acceptedCount).toBe(15);
  let balance = 0n;
  for (const turn of command.recorded()) {
    expect(turn.balanceBeforeMinor).toBe(balance);
    balance += turn.totalCreditMinor - turn.totalDebitMinor;
    expect(turn.balanceAfterMinor).toBe(balance);
  }
  expect(balance).toBe(-INT64_MAX);
  await command.crash();
  expect(await reasonOf(command.post(posting('DEBIT', 'below', 2n)))).toBe('INSUFFICIENT_FUNDS');
});

describe('an atomic batch', () => {
  const pair = (type: 'CREDIT' | 'DEBIT', side: 1 | 2 | 3, id: string, amount: bigint): Partial<accountpb.Posting> =>
    posting(type, id, amount, { accountId: `{pair}-${side}` });
  let command: CommandUnderTest;

  beforeEach(async () => {
    command = await CommandUnderTest.start({ partitions: 3 });
    await command.open({ accountId: '{pair}-1' });
    await command.open({ accountId: '{pair}-2' });
    await command.post(pair('CREDIT', 1, 'start', 100n));
  });

  const balances = async (): Promise<bigint[]> => {
    const results = [1, 2].map(async (side) => (await command.batch([pair('CREDIT', side as 1, 'look', 0n)])).results[0]?.balanceAfterMinor ?? -1n);
    return Promise.all(results);
  };

  test('does all of it', async () => {
    const answer = await command.batch(
      [pair('DEBIT', 1, 'out', 70n), pair('CREDIT', 2, 'in', 70n), pair('DEBIT', 2, 'out again', 30n), pair('DEBIT', 1, 'fee', 1n)],
      { atomic: true },
    );
    expect(answer.results.map((result) => [verdictOf(result), result.balanceAfterMinor, result.entryNumber])).toEqual([
      ['accepted', 30n, 2n],
      ['accepted', 70n, 1n],
      ['accepted', 40n, 2n],
      ['accepted', 29n, 3n],
    ]);
    expect(answer.acceptedCount).toBe(4);
    await command.crash();
    expect(await balances()).toEqual([29n, 40n]);
  });

  test('or none: the failing item says why, the others that they were not done, all of it recorded', async () => {
    const items = [pair('DEBIT', 1, 'out', 70n), pair('CREDIT', 2, 'in', 70n), pair('DEBIT', 2, 'too much', 71n), pair('DEBIT', 1, 'fee', 1n)];
    const answer = await command.batch(items, { atomic: true });
    expect(answer.results.map((result) => [verdictOf(result), result.balanceAfterMinor])).toEqual([
      ['BATCH_ABORTED', 100n],
      ['BATCH_ABORTED', 0n],
      ['INSUFFICIENT_FUNDS', 0n],
      ['BATCH_ABORTED', 100n],
    ]);
    expect(await balances()).toEqual([100n, 0n]);
    await command.restart();
    const again = await command.batch(items, { atomic: true });
    expect(again.results.map(verdictOf)).toEqual(['BATCH_ABORTED again', 'BATCH_ABORTED again', 'INSUFFICIENT_FUNDS again', 'BATCH_ABORTED again']);
    expect(items.map(({ accountId, requestId }) => command.timesRecorded(accountId as string, requestId as string))).toEqual([1, 1, 1, 1]);
    await command.crash();
    expect(await balances()).toEqual([100n, 0n]);
    expect((await command.post(pair('DEBIT', 1, 'later', 100n))).result?.entryNumber).toBe(2n);
  });

  test.each`
    what                      | culprit                                                                    | reason
    ${'an unknown account'}   | ${posting('CREDIT', 'bad', 1n, { accountId: '{pair}-3' })}                 | ${'ACCOUNT_NOT_FOUND'}
    ${'an amount of nothing'} | ${posting('CREDIT', 'bad', 0n, { accountId: '{pair}-2' })}                 | ${'AMOUNT_NOT_POSITIVE'}
    ${'a wrong shape'}        | ${posting('CREDIT', 'bad', 1n, { accountId: '{pair}-2', unit: '' })}       | ${'INVALID_REQUEST'}
    ${'an unknown type'}      | ${{ ...posting('CREDIT', 'bad', 1n, { accountId: '{pair}-2' }), type: 9 }} | ${'POSTING_TYPE_UNKNOWN'}
    ${'an id used before'}    | ${posting('CREDIT', 'start', 1n, { accountId: '{pair}-1' })}               | ${'REQUEST_ID_REUSED'}
    ${'an id used twice'}     | ${posting('CREDIT', 'out', 1n, { accountId: '{pair}-1' })}                 | ${'REQUEST_ID_REUSED'}
  `(
    'with $what is not done and nothing of it is recorded, so it may come again',
    async ({ culprit, reason }: { culprit: Partial<accountpb.Posting>; reason: string }) => {
      const good = [pair('DEBIT', 1, 'out', 70n), pair('CREDIT', 2, 'in', 70n)];
      const answer = await command.batch([...good, culprit], { atomic: true });
      expect(answer.results.map(verdictOf)).toEqual(['BATCH_REFUSED', 'BATCH_REFUSED', reason]);
      expect(await balances()).toEqual([100n, 0n]);
      expect(command.timesRecorded('{pair}-1', 'out')).toBe(0);
      const corrected = await command.batch(good, { atomic: true });
      expect(corrected.results.map(verdictOf)).toEqual(['accepted', 'accepted']);
      expect(await balances()).toEqual([30n, 70n]);
    },
  );

  test('with an item that was refused in an earlier request is not done, and nothing of it is recorded', async () => {
    await command.post(pair('DEBIT', 1, 'refused', 1_000n)).catch(() => undefined);
    const items = [pair('CREDIT', 2, 'in', 5n), pair('DEBIT', 1, 'refused', 1_000n)];
    expect((await command.batch(items, { atomic: true })).results.map(verdictOf)).toEqual(['BATCH_REFUSED', 'INSUFFICIENT_FUNDS again']);
    expect(command.timesRecorded('{pair}-2', 'in')).toBe(0);
    expect((await command.batch(items.slice(0, 1), { atomic: true })).results.map(verdictOf)).toEqual(['accepted']);
  });

  test('names an unknown account before a reason that would be recorded, wherever the two stand', async () => {
    const items = [pair('DEBIT', 1, 'too much', 1_000n), pair('CREDIT', 2, 'in', 5n), pair('CREDIT', 3, 'late', 5n)];
    expect((await command.batch(items, { atomic: true })).results.map(verdictOf)).toEqual(['BATCH_REFUSED', 'BATCH_REFUSED', 'ACCOUNT_NOT_FOUND']);
    await command.open({ accountId: '{pair}-3' });
    expect((await command.batch(items, { atomic: true })).results.map(verdictOf)).toEqual(['INSUFFICIENT_FUNDS', 'BATCH_ABORTED', 'BATCH_ABORTED']);
    expect((await command.batch(items, { atomic: true })).results.map(verdictOf)).toEqual([
      'INSUFFICIENT_FUNDS again',
      'BATCH_ABORTED again',
      'BATCH_ABORTED again',
    ]);
  });

  test('with the same posting twice does it once, and answers both alike', async () => {
    const twice = [pair('DEBIT', 1, 'out', 70n), pair('CREDIT', 2, 'in', 70n), pair('DEBIT', 1, 'out', 70n)];
    const answer = await command.batch(twice, { atomic: true });
    expect(answer.results.map((result) => [verdictOf(result), result.balanceAfterMinor, result.entryNumber])).toEqual([
      ['accepted', 30n, 2n],
      ['accepted', 70n, 1n],
      ['accepted again', 30n, 2n],
    ]);
    expect(command.timesRecorded('{pair}-1', 'out')).toBe(1);
    const failing = [pair('DEBIT', 2, 'too much', 71n), pair('CREDIT', 1, 'no', 1n), pair('DEBIT', 2, 'too much', 71n)];
    expect((await command.batch(failing, { atomic: true })).results.map(verdictOf)).toEqual([
      'INSUFFICIENT_FUNDS',
      'BATCH_ABORTED',
      'INSUFFICIENT_FUNDS again',
    ]);
    expect(await balances()).toEqual([30n, 70n]);
  });

  test('with items that were done before does the rest, all or none', async () => {
    await command.post(pair('DEBIT', 1, 'done', 10n));
    const items = [pair('DEBIT', 1, 'done', 10n), pair('DEBIT', 1, 'new', 20n), pair('CREDIT', 2, 'new', 20n)];
    expect((await command.batch(items, { atomic: true })).results.map(verdictOf)).toEqual(['accepted again', 'accepted', 'accepted']);
    expect(await balances()).toEqual([70n, 20n]);
    const failing = [pair('DEBIT', 1, 'done', 10n), pair('CREDIT', 2, 'newer', 5n), pair('DEBIT', 1, 'newest', 1_000n)];
    expect((await command.batch(failing, { atomic: true })).results.map(verdictOf)).toEqual(['accepted again', 'BATCH_ABORTED', 'INSUFFICIENT_FUNDS']);
    expect(await balances()).toEqual([70n, 20n]);
  });

  test('over several partitions is refused as a whole', async () => {
    for (const accountId of ['a', 'b', 'c', 'd']) await command.open({ accountId });
    expect(
      await reasonOf(
        command.batch(
          ['a', 'b', 'c', 'd'].map((accountId) => posting('CREDIT', 'x', 1n, { accountId })),
          { atomic: true },
        ),
      ),
    ).toBe('BATCH_SPANS_PARTITIONS');
    expect(command.timesRecorded('a', 'x')).toBe(0);
  });

  test('leaves the holds of an account as they were', async () => {
    await command.batch([posting('HOLD', 'h1', 10n, { accountId: '{pair}-1' }), posting('HOLD', 'h2', 20n, { accountId: '{pair}-1' })]);
    const items = [
      posting('CAPTURE', 'p', 10n, { accountId: '{pair}-1', holdId: 'h1' }),
      posting('HOLD', 'h3', 5n, { accountId: '{pair}-1' }),
      posting('CAPTURE', 'q', 21n, { accountId: '{pair}-1', holdId: 'h2' }),
    ];
    expect((await command.batch(items, { atomic: true })).results.map(verdictOf)).toEqual(['BATCH_ABORTED', 'BATCH_ABORTED', 'HOLD_EXCEEDED']);
    await command.crash();
    const after = await command.batch([
      posting('CAPTURE', 'p2', 10n, { accountId: '{pair}-1', holdId: 'h1' }),
      posting('CAPTURE', 'q2', 20n, { accountId: '{pair}-1', holdId: 'h2' }),
      posting('RELEASE', 'l', 1n, { accountId: '{pair}-1', holdId: 'h3' }),
    ]);
    expect(after.results.map((result) => [verdictOf(result), result.balanceAfterMinor, result.heldAfterMinor])).toEqual([
      ['accepted', 90n, 20n],
      ['accepted', 70n, 0n],
      ['HOLD_NOT_FOUND', 70n, 0n],
    ]);
  });
});

describe('a batch', () => {
  test('answers every item by itself, over accounts and partitions, in the order of the request', async () => {
    const command = await CommandUnderTest.start({ partitions: 4 });
    const accounts = Array.from({ length: 20 }, (_, at) => `account-${at}`);
    await command.openMany(accounts.map((accountId) => ({ requestId: 'open', accountId, unit: 'EUR' })));
    const items = accounts.flatMap((accountId, at) => [posting('CREDIT', 'c', BigInt(at + 1), { accountId }), posting('DEBIT', 'd', 3n, { accountId })]);
    const answer = await command.batch(items);
    expect(answer.results.map((result) => [verdictOf(result), result.balanceAfterMinor])).toEqual(
      accounts.flatMap((_, at) => [['accepted', BigInt(at + 1)], at + 1 >= 3 ? ['accepted', BigInt(at - 2)] : ['INSUFFICIENT_FUNDS', BigInt(at + 1)]]),
    );
    expect(answer.acceptedCount).toBe(38);
  });

  test.each([0, 10_001])('of %i postings is refused', async (count) => {
    const command = await CommandUnderTest.start();
    const items = Array.from({ length: count }, (_, at) => posting('CREDIT', `r${at}`, 1n));
    expect(await reasonOf(command.batch(items))).toBe(count === 0 ? 'INVALID_REQUEST' : 'BATCH_TOO_LARGE');
  });

  test('of 10,000 postings with bad ones among the first keeps every finding', async () => {
    const command = await CommandUnderTest.start();
    await command.open({ accountId: 'hot' });
    const items = Array.from({ length: 10_000 }, (_, at) => posting('CREDIT', at % 1_000 === 7 ? '' : `r${at}`, 1n, at % 1_000 === 8 ? { type: 0 } : {}));
    const answer = await command.batch(items);
    expect(answer.acceptedCount).toBe(9_980);
    expect(answer.results.map(verdictOf).filter((verdict) => verdict === 'INVALID_REQUEST').length).toBe(10);
    expect(answer.results.map(verdictOf).filter((verdict) => verdict === 'POSTING_TYPE_UNKNOWN').length).toBe(10);
  });

  test('a field that is far too long, or no field at all, refuses its posting and no other, in batches and on streams', async () => {
    const command = await CommandUnderTest.start();
    await command.open({ accountId: 'hot' });
    const items = [posting('CREDIT', 'a', 1n), posting('CREDIT', 'long', 1n, { counterparty: 'x'.repeat(20_000) }), posting('CREDIT', 'b', 1n)];
    expect((await command.batch(items)).results.map(verdictOf)).toEqual(['accepted', 'INVALID_REQUEST', 'accepted']);
    const answers = await command.stream(items);
    expect(answers.map(({ requestId, result }) => `${requestId}: ${verdictOf(result)}`)).toEqual([
      'a: accepted again',
      'long: INVALID_REQUEST',
      'b: accepted again',
    ]);
  });

  test('refused items say nothing of other accounts, whatever batch used the memory before', async () => {
    const command = await CommandUnderTest.start();
    await command.open({ accountId: 'hot' });
    for (let round = 0; round < 3; round += 1) {
      await command.batch(Array.from({ length: 50 }, (_, at) => posting('CREDIT', `${round}/${at}`, 1_000n)));
      const refused = await command.batch([
        posting('CREDIT', 'x', 1n, { accountId: 'nobody' }),
        posting('CREDIT', 'y', 1n, { unit: '' }),
        posting('CREDIT', 'z', 0n, { accountId: 'nobody' }),
      ]);
      for (const result of refused.results) expect(result).toMatchObject({ balanceAfterMinor: 0n, heldAfterMinor: 0n, entryNumber: 0n, repeated: false });
      const atomic = await command.batch([posting('CREDIT', 'x', 1n, { accountId: 'nobody' }), posting('CREDIT', 'y', 1n, { accountId: 'nobody' })], {
        atomic: true,
      });
      for (const result of atomic.results) expect(result).toMatchObject({ balanceAfterMinor: 0n, heldAfterMinor: 0n });
    }
  });

  test('bytes that are no request are refused as such', async () => {
    const command = await CommandUnderTest.start();
    for (const bytes of [Buffer.from([0x0a]), Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f]), Buffer.from([0xff]), Buffer.from('GET / HTTP/1.1')]) {
      expect(await reasonOf(command.batchBytes(bytes))).toBe('INVALID_REQUEST');
      expect(await reasonOf(command.postBytes(bytes))).toBe('INVALID_REQUEST');
    }
    expect(await reasonOf(command.postBytes(Buffer.alloc(0)))).toBe('INVALID_REQUEST');
  });
});

test('a stream answers each posting with its id, refusals and repeats too', async () => {
  const command = await CommandUnderTest.start({ partitions: 3 });
  for (const accountId of ['hot', 'cold']) await command.open({ accountId });
  const answers = await command.stream([
    posting('CREDIT', 'a', 5n),
    posting('CREDIT', 'b', 7n, { accountId: 'cold' }),
    posting('DEBIT', 'c', 6n),
    posting('CREDIT', 'a', 5n),
    posting('CREDIT', 'd', 1n, { accountId: 'nobody' }),
    posting('CREDIT', '', 1n),
  ]);
  const said = answers.map(({ requestId, accountId, result }) => `${accountId} ${requestId}: ${verdictOf(result)} ${result?.balanceAfterMinor}`);
  expect(said.sort()).toEqual(
    [
      'cold b: accepted 7',
      'hot : INVALID_REQUEST 0',
      'hot a: accepted 5',
      'hot a: accepted again 5',
      'hot c: INSUFFICIENT_FUNDS 5',
      'nobody d: ACCOUNT_NOT_FOUND 0',
    ].sort(),
  );
  for (const { positionToken, result } of answers) expect(positionToken === '').toBe(result?.error?.reason === 'INVALID_REQUEST');
});

test('a turn of more than 10,000 postings of one account records them in groups whose sums stay within int64', async () => {
  const limits = { turnCommands: 50_000, turnBytes: 32 << 20 };
  const command = await CommandUnderTest.start({ limits });
  await command.open({ accountId: 'hot' });
  const batches = ['a', 'b', 'c'].map((name) => command.batch(Array.from({ length: 8_000 }, (_, at) => posting('CREDIT', `${name}-${at}`, 1n))));
  await Promise.all(batches);
  const groups = command.recorded().map(({ acceptedCount, totalCreditMinor }) => [acceptedCount, totalCreditMinor]);
  expect(groups).toEqual([
    [10_000, 10_000n],
    [10_000, 10_000n],
    [4_000, 4_000n],
  ]);
  await command.crash();
  expect((await command.post(posting('CREDIT', 'after', 1n))).result?.balanceAfterMinor).toBe(24_001n);
});
