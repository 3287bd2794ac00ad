/** Where the signing keys of accounts are: stored in bulk, at the owner, after the decision and before the event that names them. */
import { accountKey } from '@sluice/ports';
import { accountpb, signPosting } from '@sluice/protocol/account';
import { CommandUnderTest, posting, reasonOf, verdictOf } from '../test/command-under-test';
import { RecordedKeyring } from '../test/recorded-keyring';
import { answered, SharingInstances } from '../test/sharing-instances';

const KEY = Buffer.alloc(16, 1);
const OTHER_KEY = Buffer.alloc(32, 2);

afterAll(() => CommandUnderTest.stopAll());

function opening(accountId: string, rest: Partial<accountpb.AccountOpening> = {}): Partial<accountpb.AccountOpening> {
  return { requestId: `open ${accountId}`, accountId, unit: 'EUR', signingKey: KEY, ...rest };
}

function openedIn(command: CommandUnderTest): string[] {
  const events = command.commits().flatMap(({ events: ofCommit }) => ofCommit);
  return events.filter(({ type }) => type === 'account.AccountOpened').map(({ payload }) => accountpb.AccountOpened.decode(payload).signingKeyId);
}

test('keys of openings in bulk are stored in one round trip per commit', async () => {
  const command = await CommandUnderTest.start();
  const { results } = await command.openMany(Array.from({ length: 3_000 }, (_, at) => opening(`a${at}`)));
  expect(results.filter(({ error }) => error !== undefined)).toEqual([]);
  expect(command.keyring.stores.reduce((sum, count) => sum + count, 0)).toBe(3_000);
  expect(command.keyring.stores).toHaveLength(command.commits().filter(({ events }) => events.some(({ type }) => type === 'account.AccountOpened')).length);
  expect(results[7]?.result?.signingKeyId).toBe(accountKey('a7', KEY).keyId);
  expect([...command.keys.keys()].sort()).toEqual(openedIn(command).sort());
});

test('single openings that come at the same time share a round trip', async () => {
  const command = await CommandUnderTest.start();
  await Promise.all(Array.from({ length: 40 }, (_, at) => command.open(opening(`{one}${at}`))));
  expect(command.keyring.stores).toEqual([40]);
});

test('what is refused leaves no key; a repeat stores none and has the same key', async () => {
  const command = await CommandUnderTest.start();
  const first = await command.open(opening('a'));
  expect(await reasonOf(command.open(opening('a', { requestId: 'another', signingKey: OTHER_KEY })))).toBe('ACCOUNT_EXISTS');
  expect(await reasonOf(command.open(opening('a', { signingKey: OTHER_KEY })))).toBe('REQUEST_ID_REUSED');
  expect(await reasonOf(command.open(opening('b', { unit: '' })))).toBe('INVALID_REQUEST');
  expect(await reasonOf(command.update({ requestId: 'u', accountId: 'nobody', signingKey: OTHER_KEY }))).toBe('ACCOUNT_NOT_FOUND');
  expect(await command.open(opening('a'))).toMatchObject({ repeated: true, signingKeyId: first.signingKeyId });
  expect([...command.keys.keys()]).toEqual([first.signingKeyId]);
  expect(command.keyring.stores).toEqual([1]);
  const updated = await command.update({ requestId: 'u', accountId: 'a', signingKey: OTHER_KEY });
  expect([...command.keys.keys()]).toEqual([first.signingKeyId, updated.signingKeyId]);
});

test('a key is durable before the event that names it is in the log', async () => {
  const command = await CommandUnderTest.start();
  let stored!: () => void;
  const began = new Promise<void>((begin) => {
    command.keyring.beforeStore = () => {
      begin();
      return new Promise((resolve) => (stored = resolve));
    };
  });
  const opened = command.open(opening('a'));
  await began;
  for (let round = 0; round < 5; round += 1) await new Promise((resolve) => setImmediate(resolve));
  expect([openedIn(command), command.keys.size]).toEqual([[], 0]);
  stored();
  await opened;
  expect(openedIn(command)).toEqual([...command.keys.keys()]);
});

test('a key that cannot be stored is named by no event; the same request passes later, with the same key', async () => {
  const command = await CommandUnderTest.start();
  command.keyring.beforeStore = () => Promise.reject(new Error('the keyring is away'));
  expect(await reasonOf(command.open(opening('a')))).toBe('PARTITION_UNAVAILABLE');
  expect([openedIn(command), command.keys.size]).toEqual([[], 0]);
  command.keyring.beforeStore = async () => undefined;
  await command.untilServing();
  expect(await command.open(opening('a'))).toMatchObject({ repeated: false, signingKeyId: accountKey('a', KEY).keyId });
  expect(openedIn(command)).toEqual([...command.keys.keys()]);
});

test('a key whose opening did not reach the log is found again by the repeat', async () => {
  const command = await CommandUnderTest.start();
  command.log.faults.failNextAppend();
  expect(await reasonOf(command.open(opening('a')))).toBe('PARTITION_UNAVAILABLE');
  expect([openedIn(command), command.keys.size]).toEqual([[], 1]);
  await command.untilServing();
  await command.crash();
  expect(await command.open(opening('a'))).toMatchObject({ repeated: false, signingKeyId: accountKey('a', KEY).keyId });
  expect([openedIn(command).length, command.keys.size]).toEqual([1, 1]);
});

test('a posting that comes right behind the opening is checked with its key', async () => {
  const command = await CommandUnderTest.start();
  const unsigned = posting('CREDIT', 'r', 1n, { accountId: 'a' });
  const signature = signPosting(KEY, { ...accountpb.Posting.fromPartial(unsigned), typeName: 'CREDIT' });
  const opened = command.open(opening('a'));
  const posted = command.post({ ...unsigned, signature });
  await opened;
  expect((await posted).result?.balanceAfterMinor).toBe(1n);
});

describe('keys that the keyring lacks', () => {
  /** 5,000 accounts, every third of which signs. */
  const accounts = Array.from({ length: 5_000 }, (_, at) => (at % 3 === 0 ? opening(`a${at}`) : opening(`a${at}`, { signingKey: Buffer.alloc(0) })));
  const lose = (command: CommandUnderTest, count: number): void => {
    for (const keyId of [...command.keys.keys()].slice(0, count)) command.keys.delete(keyId);
  };
  const signed = (accountId: string, requestId: string, key = KEY): Partial<accountpb.Posting> => {
    const unsigned = posting('CREDIT', requestId, 1n, { accountId });
    return { ...unsigned, signature: signPosting(key, { ...accountpb.Posting.fromPartial(unsigned), typeName: 'CREDIT' }) };
  };

  test.each(['restart', 'crash'] as const)('a start after a %s is refused with the number of accounts, and appends nothing', async (how) => {
    const command = await CommandUnderTest.start();
    await command.openMany(accounts);
    const stored = new Map(command.keys);
    lose(command, 1_234);
    await expect(command[how]()).rejects.toMatchObject({ name: 'MissingKeysError', accounts: 1_234, partitions: [0, 1] });
    const commits = command.commits().length;
    await expect(command.restart()).rejects.toMatchObject({ accounts: 1_234 });
    expect(command.commits()).toHaveLength(commits);
    for (const [keyId, key] of stored) command.keys.set(keyId, key);
    await command.restart();
    expect((await command.post(signed('a0', 'r'))).result?.balanceAfterMinor).toBe(1n);
  });

  test('where it is accepted, signed postings of these accounts are refused and not recorded, until they have new keys', async () => {
    const command = await CommandUnderTest.start({ missingKeys: 'accept' });
    await command.openMany(accounts);
    await command.post(signed('a0', 'before'));
    command.keys.clear();
    await command.restart();
    expect(command.troubles.map(({ error }) => (error as { accounts?: number }).accounts)).toHaveLength(2);
    expect(await reasonOf(command.post(signed('a0', 'r')))).toBe('SIGNING_KEY_MISSING');
    expect(await reasonOf(command.post(posting('CREDIT', 'r', 1n, { accountId: 'a0' })))).toBe('SIGNATURE_INVALID');
    const batch = [signed('a0', 'r'), posting('CREDIT', 'r', 1n, { accountId: 'a1' })];
    expect((await command.batch(batch)).results.map(verdictOf)).toEqual(['SIGNING_KEY_MISSING', 'accepted']);
    expect((await command.batch([signed('{a}', 'x'), signed('a3', 's')])).results.map(verdictOf)).toEqual(['ACCOUNT_NOT_FOUND', 'SIGNING_KEY_MISSING']);
    expect((await command.batch([signed('a0', 's')], { atomic: true })).results.map(verdictOf)).toEqual(['SIGNING_KEY_MISSING']);
    // The first answer is recorded, and its signature is known.
    expect((await command.post(signed('a0', 'before'))).result).toMatchObject({ repeated: true, balanceAfterMinor: 1n });
    expect(await reasonOf(command.post(signed('a0', 'before', OTHER_KEY)))).toBe('SIGNING_KEY_MISSING');
    await command.update({ requestId: 'u', accountId: 'a0', signingKey: OTHER_KEY });
    expect((await command.post(signed('a0', 'r', OTHER_KEY))).result?.balanceAfterMinor).toBe(2n);
  });
});

describe('through another instance', () => {
  const instances = new SharingInstances({ partitions: 4 });
  afterAll(() => instances.stop());

  test('openings with keys in bulk pass, and the keys are stored at the owners only', async () => {
    const keyrings = [new RecordedKeyring(instances.keys), new RecordedKeyring(instances.keys)] as const;
    // A database that is 2 ms away: one key after the other would take longer than callers wait.
    for (const keyring of keyrings) keyring.beforeStore = () => new Promise((resolve) => setTimeout(resolve, 2));
    const one = await instances.start('one', { keyring: keyrings[0] });
    await instances.start('two', { keyring: keyrings[1] });
    await instances.untilShared();
    const accounts = Array.from({ length: 5_000 }, (_, at) => opening(`account ${at}`));
    const { results } = await answered<accountpb.OpenAccountsResponse>((done) =>
      one.client.openAccounts(accountpb.OpenAccountsRequest.fromPartial({ accounts }), done),
    );
    expect(results.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(keyrings.flatMap(({ stores }) => stores).length).toBeLessThan(20);
    const stored = keyrings.map(({ stores }) => stores.reduce((sum, count) => sum + count, 0));
    expect(stored.reduce((sum, count) => sum + count, 0)).toBe(5_000);
    for (const count of stored) expect(count).toBeGreaterThan(0);
    expect(instances.keys.size).toBe(5_000);
  });
});
