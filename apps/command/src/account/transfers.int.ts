/** Transfers and expiring holds through the command service: answers, repeats, batches, restarts. */
import { keyHash, partitionOfHash } from '@sluice/domain';
import { accountpb } from '@sluice/protocol/account';
import { CommandUnderTest, posting, reasonOf, verdictOf } from '../test/command-under-test';

const { TRANSFER_STATE_PENDING: PENDING, TRANSFER_STATE_SETTLED: SETTLED } = accountpb.TransferState;

/** A snapshot after every commit: request ids leave memory soon. */
const FORGETFUL = { snapshotBytes: 1, recentBytes: 1 };

afterAll(() => CommandUnderTest.stopAll());

/** Two accounts of one partition; the first has 100. */
async function pair(command: CommandUnderTest) {
  const [from, to] = ['{pair}-from', '{pair}-to'];
  await command.open({ accountId: from });
  await command.open({ accountId: to });
  await command.post(posting('CREDIT', 'funds', 100n, { accountId: from }));
  return { from, to, order: { requestId: 'rent', fromAccountId: from, toAccountId: to, amountMinor: 30n } };
}

describe('a transfer within a partition', () => {
  test('is answered with the balance of the debited account, SETTLED, and its repeat with the first answer', async () => {
    const command = await CommandUnderTest.start({ limits: FORGETFUL });
    const { order } = await pair(command);
    const { result, positionToken } = await command.transfer(order);
    expect(result).toEqual({ balanceAfterMinor: 70n, heldAfterMinor: 0n, entryNumber: 2n, repeated: false, error: undefined, state: SETTLED });
    expect(positionToken).not.toBe('');
    await command.transfer({ ...order, requestId: 'another' });
    for (const again of ['at once', 'after a crash', 'when only the disk knows it'] as const) {
      if (again === 'after a crash') await command.crash();
      if (again === 'when only the disk knows it') await command.forget(order.fromAccountId, 'rent');
      expect((await command.transfer(order)).result).toEqual({ ...result, repeated: true });
    }
    expect(command.timesRecorded(order.fromAccountId, 'rent')).toBe(1);
    expect(command.timesRecorded(order.toAccountId, 'rent')).toBe(1);
  });

  test.each`
    what                 | change
    ${'another amount'}  | ${{ amountMinor: 31n }}
    ${'another target'}  | ${{ toAccountId: '{pair}-other' }}
    ${'another unit'}    | ${{ unit: 'USD' }}
    ${'another channel'} | ${{ channel: 'app' }}
  `('with the id of another one and $what is refused', async ({ change }: { change: Partial<accountpb.TransferOrder> }) => {
    const command = await CommandUnderTest.start();
    const { order } = await pair(command);
    await command.transfer(order);
    expect(await reasonOf(command.transfer({ ...order, ...change }))).toBe('REQUEST_ID_REUSED');
  });

  test('and a posting are different requests, at the debited account', async () => {
    const command = await CommandUnderTest.start();
    const { from, to, order } = await pair(command);
    await command.transfer(order);
    expect(await reasonOf(command.post(posting('DEBIT', 'rent', 30n, { accountId: from })))).toBe('REQUEST_ID_REUSED');
    expect(await reasonOf(command.transfer({ ...order, requestId: 'funds' }))).toBe('REQUEST_ID_REUSED');
    // At the target the id is the caller's to use.
    for (const again of [false, true]) {
      if (again) await command.restart();
      expect((await command.post(posting('CREDIT', 'rent', 1n, { accountId: to }))).result).toMatchObject({ balanceAfterMinor: 31n, repeated: again });
    }
  });

  test('that is refused is recorded, and refused with the same answer for ever', async () => {
    const command = await CommandUnderTest.start();
    const { order } = await pair(command);
    const late = { ...order, requestId: 'late', toAccountId: '{pair}-nobody' };
    expect(await reasonOf(command.transfer(late))).toBe('TARGET_NOT_FOUND');
    await command.open({ accountId: '{pair}-nobody' });
    await command.crash();
    expect(await reasonOf(command.transfer(late))).toBe('TARGET_NOT_FOUND');
    expect(await reasonOf(command.transfer({ ...late, requestId: 'anew' }))).toBe('accepted');
  });
});

/** Alice has 100 and is of another partition than Bob. */
async function apart(command: CommandUnderTest) {
  const names = ['alice', 'bob', 'carol', 'dave', 'erin'];
  const [alice, bob] = [names[0] as string, names.find((name) => partitionOf(name) !== partitionOf('alice')) as string];
  await command.open({ accountId: alice });
  await command.open({ accountId: bob });
  await command.post(posting('CREDIT', 'funds', 100n, { accountId: alice }));
  return { alice, bob, order: { requestId: 'gift', fromAccountId: alice, toAccountId: bob, amountMinor: 30n } };
}

function partitionOf(accountId: string): number {
  const id = Buffer.from(accountId);
  return partitionOfHash(keyHash(id, 0, id.length), 2);
}

/** The balance, by a posting of the smallest amount. */
async function balanceOf(command: CommandUnderTest, accountId: string, requestId: string): Promise<bigint> {
  const { result } = await command.post(posting('CREDIT', requestId, 1n, { accountId }));
  return (result?.balanceAfterMinor ?? 0n) - 1n;
}

/** Lets the time pass until every transfer has its verdict. */
async function untilSettled(command: CommandUnderTest): Promise<Map<string, accountpb.Rejection>> {
  for (;;) {
    const events = command.commits().flatMap((commit) => commit.events);
    const recorded = events.filter(({ type }) => type === 'account.TransfersRecorded').map(({ payload }) => accountpb.TransfersRecorded.decode(payload));
    const pending = recorded.flatMap(({ accounts }) => accounts.flatMap(({ transfers }) => transfers.filter((transfer) => transfer.pending)));
    const settled = events
      .filter(({ type }) => type === 'account.TransfersSettled')
      .flatMap(({ payload }) => accountpb.TransfersSettled.decode(payload).accounts.flatMap(({ transfers }) => transfers));
    if (settled.length > pending.length) throw new Error(`${settled.length} verdicts on ${pending.length} transfers`);
    if (settled.length === pending.length) return new Map(settled.map(({ requestId, rejection }) => [requestId, rejection]));
    await new Promise((resolve) => setImmediate(resolve));
    await command.clock.elapse(10);
  }
}

describe('a transfer to another partition', () => {
  test('is answered PENDING, then credited, and its repeat gets the first answer', async () => {
    const command = await CommandUnderTest.start();
    const { bob, order } = await apart(command);
    const { result } = await command.transfer(order);
    expect(result).toEqual({ balanceAfterMinor: 70n, heldAfterMinor: 0n, entryNumber: 2n, repeated: false, error: undefined, state: PENDING });
    expect(await untilSettled(command)).toEqual(new Map([['gift', accountpb.Rejection.REJECTION_UNSPECIFIED]]));
    expect(await balanceOf(command, bob, 'look')).toBe(30n);
    expect((await command.transfer(order)).result).toEqual({ ...result, repeated: true });
    await command.crash();
    expect((await command.transfer(order)).result).toEqual({ ...result, repeated: true });
    expect(command.timesRecorded(bob, 'gift')).toBe(1);
  });

  test('that its target refuses comes back, through a freeze', async () => {
    const command = await CommandUnderTest.start();
    const { alice, bob, order } = await apart(command);
    await command.close({ requestId: 'close', accountId: bob });
    const transferred = command.transfer(order);
    const frozen = command.freeze({ requestId: 'freeze', accountId: alice });
    await Promise.all([transferred, frozen]);
    expect(await untilSettled(command)).toEqual(new Map([['gift', accountpb.Rejection.REJECTION_TARGET_CLOSED]]));
    expect(await balanceOf(command, alice, 'look')).toBe(100n);
  });

  test('outlives a crash between debit and credit', async () => {
    const command = await CommandUnderTest.start();
    const { alice, bob, order } = await apart(command);
    for (let round = 0; round < 5; round += 1) {
      const answered = command.transfer({ ...order, requestId: `gift-${round}`, amountMinor: 10n });
      await answered;
      await command.crash();
    }
    await untilSettled(command);
    expect(await balanceOf(command, alice, 'look')).toBe(50n);
    expect(await balanceOf(command, bob, 'look')).toBe(50n);
  });

  test('thousands to and fro conserve the money, over crashes', async () => {
    const command = await CommandUnderTest.start();
    const { alice, bob } = await apart(command);
    const names = [alice, bob, '{a}-1', '{b}-2'];
    for (const accountId of names.slice(2)) await command.open({ accountId });
    for (const accountId of names) await command.post(posting('CREDIT', 'more', 1_000n, { accountId }));
    let accepted = 0;
    for (let round = 0; round < 4; round += 1) {
      const orders = Array.from({ length: 500 }, (_, at) => {
        const fromAccountId = names[at % 4] as string;
        const toAccountId = names[(at + 1 + (at % 3)) % 4] as string;
        return { requestId: `r${round}-${at}`, fromAccountId, toAccountId, amountMinor: BigInt(1 + (at % 20)) };
      });
      accepted += (await command.transfers(orders)).acceptedCount;
      await command.crash();
    }
    expect(accepted).toBeGreaterThan(300);
    await untilSettled(command);
    let sum = 0n;
    for (const accountId of names) sum += await balanceOf(command, accountId, 'look');
    expect(sum).toBe(4_100n);
  });
});

describe('a batch of transfers', () => {
  test('gives each its own result, in order', async () => {
    const command = await CommandUnderTest.start();
    const { from, to, order } = await pair(command);
    const orders = [
      order,
      { ...order, requestId: 'itself', toAccountId: from },
      { ...order, requestId: 'too much', amountMinor: 71n },
      { ...order, requestId: 'back', fromAccountId: to, toAccountId: from, amountMinor: 10n },
      order,
      { ...order, requestId: 'nobody', fromAccountId: '{pair}-nobody', toAccountId: to },
      { ...order, requestId: 'now enough', amountMinor: 80n },
    ];
    const response = await command.transfers(orders);
    expect(response.results.map(verdictOf)).toEqual([
      'accepted',
      'INVALID_REQUEST',
      'INSUFFICIENT_FUNDS',
      'accepted',
      'accepted again',
      'ACCOUNT_NOT_FOUND',
      'accepted',
    ]);
    expect(response.results.map(({ balanceAfterMinor }) => balanceAfterMinor)).toEqual([70n, 0n, 70n, 20n, 70n, 0n, 0n]);
    expect(response.acceptedCount).toBe(4);
    expect(response.results[1]?.error?.message).toContain('to_account_id is the account that is debited');
  });

  test.each`
    what                   | count     | reason
    ${'without transfers'} | ${0}      | ${'INVALID_REQUEST'}
    ${'too large'}         | ${10_001} | ${'BATCH_TOO_LARGE'}
  `('$what is refused', async ({ count, reason }: { count: number; reason: string }) => {
    const command = await CommandUnderTest.start();
    const { order } = await pair(command);
    expect(await reasonOf(command.transfers(Array.from({ length: count }, () => order)))).toBe(reason);
  });

  test.each([1_025, 3_000])('of %i is taken at once', async (count) => {
    const command = await CommandUnderTest.start();
    const { from, to, order } = await pair(command);
    await command.post(posting('CREDIT', 'more', 1_000_000n, { accountId: from }));
    const { acceptedCount } = await command.transfers(Array.from({ length: count }, (_, at) => ({ ...order, requestId: `t${at}`, amountMinor: 2n })));
    expect(acceptedCount).toBe(count);
    expect(await balanceOf(command, to, 'look')).toBe(BigInt(count) * 2n);
  });

  test('of 10,000 is taken in commits that the log takes', async () => {
    const command = await CommandUnderTest.start();
    const { from, order } = await pair(command);
    await command.post(posting('CREDIT', 'more', 1_000_000n, { accountId: from }));
    const { acceptedCount } = await command.transfers(Array.from({ length: 10_000 }, (_, at) => ({ ...order, requestId: `t${at}`, amountMinor: 1n })));
    expect(acceptedCount).toBe(10_000);
    await command.crash();
    const { result } = await command.post(posting('CREDIT', 'after', 1n, { accountId: from }));
    expect(result).toMatchObject({ balanceAfterMinor: 990_101n, entryNumber: 10_003n });
  });
});

describe('a hold that expires', () => {
  test('is released when its time has come, also after a crash', async () => {
    const command = await CommandUnderTest.start();
    const { from } = await pair(command);
    await command.post(posting('HOLD', 'booking', 40n, { accountId: from, expiresAfterMs: 60_000n }));
    await command.crash();
    await command.clock.elapse(59_000);
    await fireDue(command);
    expect((await command.post(posting('CREDIT', 'early', 1n, { accountId: from }))).result).toMatchObject({ heldAfterMinor: 40n });
    await command.clock.elapse(2_000);
    await fireDue(command);
    expect((await command.post(posting('CREDIT', 'late', 1n, { accountId: from }))).result).toMatchObject({ heldAfterMinor: 0n, balanceAfterMinor: 102n });
    const releases = command.recorded().flatMap(({ requests }) => requests?.postings.filter(({ holdExpired }) => holdExpired) ?? []);
    expect(releases).toEqual([expect.objectContaining({ accountId: from, holdId: 'booking', amountMinor: 40n })]);
  });
});

/** What the scheduler does: it asks the owner for what is due. */
async function fireDue(command: CommandUnderTest): Promise<void> {
  const { timers } = command.engine;
  for (const partition of timers.partitions) await timers.of(partition)?.fire(command.clock.nowUs());
}
