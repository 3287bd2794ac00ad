/** Opening, updating, freezing, closing: what is answered, what is recorded, and that a repeat gets the first answer. */
import { accountpb } from '@sluice/protocol/account';
import { CommandUnderTest, posting, reasonOf } from '../test/command-under-test';

afterAll(() => CommandUnderTest.stopAll());

const { ACCOUNT_STATUS_OPEN } = accountpb.AccountStatus;

/** The first answer again; its token covers what the repeat has seen. */
function again(first: accountpb.CommandResult): object {
  return { ...first, repeated: true, positionToken: expect.any(String) };
}

test('an account is opened once; the same request is answered again, another one is refused and that is recorded', async () => {
  const command = await CommandUnderTest.start();
  const first = await command.open({ accountId: 'hot', branchId: 'north', product: 'wallet' });
  expect(first).toMatchObject({
    accountId: 'hot',
    balanceMinor: 0n,
    heldMinor: 0n,
    status: ACCOUNT_STATUS_OPEN,
    version: 1n,
    repeated: false,
    signingKeyId: '',
  });
  for (const past of ['now', 'restart', 'crash'] as const) {
    if (past !== 'now') await command[past]();
    expect(await command.open({ accountId: 'hot', branchId: 'north', product: 'wallet' })).toEqual(again(first));
    expect(await reasonOf(command.open({ accountId: 'hot', branchId: 'south', product: 'wallet' }))).toBe('REQUEST_ID_REUSED');
    expect(await reasonOf(command.open({ accountId: 'hot', requestId: 'other' }))).toBe('ACCOUNT_EXISTS');
  }
  const rejected = command.commits().flatMap(({ events }) => events.filter(({ type }) => type === 'account.AccountCommandRejected'));
  expect(rejected.length).toBe(1);
});

test('unset limits and empty ones are the same body', async () => {
  const command = await CommandUnderTest.start();
  await command.open({ accountId: 'hot' });
  expect((await command.open({ accountId: 'hot', limits: accountpb.AccountLimits.fromPartial({}) })).repeated).toBe(true);
  expect(await reasonOf(command.open({ accountId: 'hot', limits: accountpb.AccountLimits.fromPartial({ overdraftMinor: 1n }) }))).toBe('REQUEST_ID_REUSED');
});

test('many at once: each has its own result, in the order of the request', async () => {
  const command = await CommandUnderTest.start({ partitions: 3 });
  await command.open({ accountId: 'there', requestId: 'earlier' });
  const opening = (accountId: string, rest: Partial<accountpb.AccountOpening> = {}): Partial<accountpb.AccountOpening> => ({
    requestId: `open ${accountId}`,
    accountId,
    unit: 'EUR',
    ...rest,
  });
  const { results, positionToken } = await command.openMany([
    opening('a'),
    opening('there'),
    opening('b', { unit: '' }),
    opening('a'),
    opening('a', { unit: 'USD' }),
    opening('', {}),
    opening('c', { signingKey: Buffer.alloc(15) }),
    opening('d', { signingKey: Buffer.alloc(16) }),
    opening('e', { limits: accountpb.AccountLimits.fromPartial({ overdraftMinor: -1n }) }),
    opening('x'.repeat(129)),
  ]);
  expect(results.map(({ result, error }) => error?.reason ?? (result?.repeated === true ? 'again' : 'opened'))).toEqual([
    'opened',
    'ACCOUNT_EXISTS',
    'INVALID_REQUEST',
    'again',
    'REQUEST_ID_REUSED',
    'INVALID_REQUEST',
    'INVALID_REQUEST',
    'opened',
    'INVALID_REQUEST',
    'INVALID_REQUEST',
  ]);
  expect(results[2]?.error?.message).toMatch(/accounts\[2\]\.unit/);
  expect(results[7]?.result?.signingKeyId).toMatch(/^[0-9a-f]{32}$/);
  expect(positionToken).not.toBe('');
  expect(await reasonOf(command.openMany([]))).toBe('INVALID_REQUEST');
  expect(await reasonOf(command.openMany(Array.from({ length: 10_001 }, (_, at) => opening(`n${at}`))))).toBe('BATCH_TOO_LARGE');
});

test('an update changes what it names, from its place among the postings on', async () => {
  const command = await CommandUnderTest.start();
  await command.open({ accountId: 'hot' });
  const limits = accountpb.AccountLimits.fromPartial({ maximumPostingMinor: 5n });
  const [before, update] = await Promise.all([command.batch([posting('CREDIT', 'before', 10n)]), command.update({ requestId: 'u', accountId: 'hot', limits })]);
  // The update is decided where it arrived: what came before it in the turn is recorded before it.
  expect(before.acceptedCount).toBe(1);
  expect(update).toMatchObject({ version: 3n, balanceMinor: 10n });
  const types = command
    .commits()
    .flatMap(({ events }) => events.map(({ type }) => type))
    .filter((type) => type.startsWith('account.'));
  expect(types.indexOf('account.PostingsRecorded')).toBeLessThan(types.indexOf('account.AccountUpdated'));
  expect(await command.update({ requestId: 'u', accountId: 'hot', limits })).toEqual(again(update));
  expect(await reasonOf(command.post(posting('CREDIT', 'later', 6n)))).toBe('POSTING_LIMIT_EXCEEDED');
  await command.crash();
  expect(await reasonOf(command.post(posting('CREDIT', 'even later', 6n)))).toBe('POSTING_LIMIT_EXCEEDED');
  expect(await command.update({ requestId: 'u', accountId: 'hot', limits })).toEqual(again(update));
});

test('a linked account is a part of the body, recorded, and changed by an update that names it', async () => {
  const command = await CommandUnderTest.start();
  const opened = await command.open({ accountId: 'deposit', linkedAccountId: 'current' });
  const update = { requestId: 'u', accountId: 'deposit', linkedAccountId: '' };
  const updated = await command.update(update);
  for (const past of ['now', 'restart', 'crash'] as const) {
    if (past !== 'now') await command[past]();
    expect(await command.open({ accountId: 'deposit', linkedAccountId: 'current' })).toEqual(again(opened));
    expect(await reasonOf(command.open({ accountId: 'deposit' }))).toBe('REQUEST_ID_REUSED');
    expect(await command.update(update)).toEqual(again(updated));
    expect(await reasonOf(command.update({ ...update, linkedAccountId: 'current' }))).toBe('REQUEST_ID_REUSED');
  }
  const of = (type: string): Uint8Array[] =>
    command.commits().flatMap(({ events }) => events.filter((event) => event.type === type).map(({ payload }) => payload));
  expect(of('account.AccountOpened').map((payload) => accountpb.AccountOpened.decode(payload).linkedAccountId)).toEqual(['current']);
  expect(of('account.AccountUpdated').map((payload) => accountpb.AccountUpdated.decode(payload).linkedAccountId)).toEqual(['']);
});

test('the answer of a repeat is the first one, whatever happened since', async () => {
  const command = await CommandUnderTest.start();
  await command.open({ accountId: 'hot' });
  await command.batch([posting('CREDIT', 'c', 10n), posting('HOLD', 'h', 4n)]);
  const frozen = await command.freeze({ requestId: 'f', accountId: 'hot', note: 'n' });
  await command.unfreeze({ requestId: 'u', accountId: 'hot' });
  await command.post(posting('DEBIT', 'd', 6n));
  for (const past of ['now', 'restart', 'crash'] as const) {
    if (past !== 'now') await command[past]();
    expect(await command.freeze({ requestId: 'f', accountId: 'hot', note: 'n' })).toEqual(again(frozen));
    expect(await reasonOf(command.freeze({ requestId: 'f', accountId: 'hot', note: 'another' }))).toBe('REQUEST_ID_REUSED');
    expect(await reasonOf(command.unfreeze({ requestId: 'f', accountId: 'hot', note: 'n' }))).toBe('REQUEST_ID_REUSED');
  }
  expect(frozen).toMatchObject({ balanceMinor: 10n, heldMinor: 4n });
});

test('a refused command stays refused', async () => {
  const command = await CommandUnderTest.start();
  await command.open({ accountId: 'hot' });
  await command.post(posting('CREDIT', 'c', 10n));
  expect(await reasonOf(command.close({ requestId: 'x', accountId: 'hot' }))).toBe('BALANCE_NOT_ZERO');
  await command.post(posting('DEBIT', 'd', 10n));
  expect(await reasonOf(command.close({ requestId: 'x', accountId: 'hot' }))).toBe('BALANCE_NOT_ZERO');
  expect(await reasonOf(command.close({ requestId: 'x2', accountId: 'hot' }))).toBe('accepted');
  expect(await reasonOf(command.freeze({ requestId: 'y', accountId: 'nobody' }))).toBe('ACCOUNT_NOT_FOUND');
});

test.each<[string, (command: CommandUnderTest) => Promise<unknown>]>([
  ['an id of 129 bytes', (command) => command.freeze({ requestId: 'x'.repeat(129), accountId: 'hot' })],
  ['an empty id', (command) => command.freeze({ requestId: '', accountId: 'hot' })],
  ['an empty account', (command) => command.freeze({ requestId: 'r', accountId: '' })],
  ['a note of 257 bytes', (command) => command.freeze({ requestId: 'r', accountId: 'hot', note: 'x'.repeat(257) })],
  ['an update of nothing', (command) => command.update({ requestId: 'r', accountId: 'hot' })],
  ['a product of 129 bytes', (command) => command.update({ requestId: 'r', accountId: 'hot', product: 'x'.repeat(129) })],
  ['a linked account of 129 bytes', (command) => command.update({ requestId: 'r', accountId: 'hot', linkedAccountId: 'x'.repeat(129) })],
  ['an account linked to itself', (command) => command.update({ requestId: 'r', accountId: 'hot', linkedAccountId: 'hot' })],
  ['an opening linked to itself', (command) => command.open({ accountId: 'new', linkedAccountId: 'new' })],
  ['a key of 65 bytes', (command) => command.update({ requestId: 'r', accountId: 'hot', signingKey: Buffer.alloc(65) })],
  [
    'a maximum of 0',
    (command) => command.update({ requestId: 'r', accountId: 'hot', limits: accountpb.AccountLimits.fromPartial({ maximumPostingMinor: 0n }) }),
  ],
  [
    'an unknown allowed type',
    (command) =>
      command.update({ requestId: 'r', accountId: 'hot', limits: accountpb.AccountLimits.fromPartial({ allowedTypes: [9 as accountpb.PostingType] }) }),
  ],
  ['an account that is missing', (command) => command.open({ accountId: '' })],
  ['a unit of 17 bytes', (command) => command.open({ accountId: 'new', unit: 'x'.repeat(17) })],
])('%s is an invalid request', async (_, send) => {
  const command = await CommandUnderTest.start();
  await command.open({ accountId: 'hot' });
  expect(await reasonOf(send(command))).toBe('INVALID_REQUEST');
});
