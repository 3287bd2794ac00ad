/** Signed postings: who may post, with which key, and what the thread pool must not change. */
import { POSTING_TYPES } from '@sluice/domain/account';
import { accountpb, signPosting } from '@sluice/protocol/account';
import { CommandUnderTest, posting, reasonOf, verdictOf } from '../test/command-under-test';

afterAll(() => CommandUnderTest.stopAll());

const KEY = Buffer.alloc(32, 1);
const OTHER_KEY = Buffer.alloc(32, 2);
const SIGNED_AT = 1_767_225_600_000_000n;

function signed(key: Uint8Array, one: Partial<accountpb.Posting>, signedAtUs = SIGNED_AT): Partial<accountpb.Posting> {
  const whole = accountpb.Posting.fromPartial({ ...one, signedAtUs });
  return { ...one, signedAtUs, signature: signPosting(key, { ...whole, typeName: POSTING_TYPES[whole.type - 1] ?? '' }) };
}

async function withKey(options: { pool?: 'always' | 'off'; poolThreads?: number } = {}): Promise<CommandUnderTest> {
  const command = await CommandUnderTest.start(options);
  await command.open({ accountId: 'hot', signingKey: KEY });
  return command;
}

test('a posting counts when its signature verifies; anything else about it is refused and not recorded', async () => {
  const command = await withKey();
  const good = signed(KEY, posting('CREDIT', 'r', 10n, { counterparty: 'shop' }));
  const bad: [string, Partial<accountpb.Posting>][] = [
    ['unsigned', { ...good, signature: Buffer.alloc(0) }],
    ['signed with another key', signed(OTHER_KEY, good)],
    ['a flipped bit', { ...good, signature: Buffer.from(good.signature as Buffer).map((byte, at) => (at === 31 ? byte ^ 1 : byte)) as Buffer }],
    ['a cut signature', { ...good, signature: (good.signature as Buffer).subarray(0, 31) }],
    ['another amount', { ...good, amountMinor: 11n }],
    ['another type', { ...good, type: accountpb.PostingType.POSTING_TYPE_DEBIT }],
    ['another counterparty', { ...good, counterparty: 'shoq' }],
    ['another time', { ...good, signedAtUs: SIGNED_AT + 1n }],
    ['another id', { ...good, requestId: 'r2' }],
    ['another unit', { ...good, unit: 'USD' }],
  ];
  const answers = await command.batch(bad.map(([, one]) => one));
  expect(answers.results.map((result, at) => [bad[at]?.[0], verdictOf(result)])).toEqual(bad.map(([what]) => [what, 'SIGNATURE_INVALID']));
  expect(command.recorded()).toEqual([]);
  expect((await command.post(good)).result).toMatchObject({ repeated: false, balanceAfterMinor: 10n });
});

test('a signature for one reading of the bytes does not pass for another', async () => {
  const command = await withKey();
  const good = Buffer.from(accountpb.Posting.encode(accountpb.Posting.fromPartial(signed(KEY, posting('CREDIT', 'r', 1n)))).finish());
  const more = Buffer.from([0x20, 0xe8, 0x07]);
  for (const body of [
    Buffer.concat([good, Buffer.from([0x00, 0x00]), more]),
    Buffer.concat([more, good, Buffer.from([0xa0, 0x00, 0x01])]),
    Buffer.concat([more, good, Buffer.from([0xa0, 0x80, 0x80, 0x80, 0x10, 0x01])]),
  ]) {
    expect(await reasonOf(command.postBytes(Buffer.concat([Buffer.from([0x0a, (body.length & 0x7f) | 0x80, body.length >> 7]), body])))).toBe(
      'INVALID_REQUEST',
    );
  }
  const twice = Buffer.concat([more, good]);
  expect(
    (await command.postBytes(Buffer.concat([Buffer.from([0x0a, (twice.length & 0x7f) | 0x80, twice.length >> 7]), twice]))).result?.balanceAfterMinor,
  ).toBe(1n);
});

test('a repeat needs the signature of the first one, or one that verifies now', async () => {
  const command = await withKey();
  const first = signed(KEY, posting('CREDIT', 'r', 10n));
  await command.post(first);
  for (const restarted of [false, true]) {
    if (restarted) await command.restart();
    expect((await command.post(first)).result?.repeated).toBe(true);
    expect((await command.post(signed(KEY, first, SIGNED_AT + 5n))).result?.repeated).toBe(true);
    expect(await reasonOf(command.post({ ...first, signature: Buffer.alloc(0) }))).toBe('SIGNATURE_INVALID');
    expect(await reasonOf(command.post(signed(OTHER_KEY, first)))).toBe('SIGNATURE_INVALID');
    expect(await reasonOf(command.post(signed(KEY, { ...first, amountMinor: 11n })))).toBe('REQUEST_ID_REUSED');
  }
  await command.update({ requestId: 'new key', accountId: 'hot', signingKey: OTHER_KEY });
  expect((await command.post(first)).result?.repeated).toBe(true);
  expect((await command.post(signed(OTHER_KEY, first))).result?.repeated).toBe(true);
  expect(await reasonOf(command.post(signed(KEY, first, SIGNED_AT + 5n)))).toBe('SIGNATURE_INVALID');
  expect(command.timesRecorded('hot', 'r')).toBe(1);
});

test('a new key is in force for what is decided after it; no key, no signatures', async () => {
  const command = await withKey();
  const { signingKeyId } = await command.update({ requestId: 'u1', accountId: 'hot', signingKey: OTHER_KEY });
  expect(await reasonOf(command.post(signed(KEY, posting('CREDIT', 'a', 1n))))).toBe('SIGNATURE_INVALID');
  expect(await reasonOf(command.post(signed(OTHER_KEY, posting('CREDIT', 'a', 1n))))).toBe('accepted');
  await command.restart();
  expect(await reasonOf(command.post(signed(OTHER_KEY, posting('CREDIT', 'b', 1n))))).toBe('accepted');
  expect((await command.update({ requestId: 'u2', accountId: 'hot', product: 'gold' })).signingKeyId).toBe(signingKeyId);
  expect((await command.update({ requestId: 'u3', accountId: 'hot', signingKey: Buffer.alloc(0) })).signingKeyId).toBe('');
  expect(await reasonOf(command.post(posting('CREDIT', 'c', 1n)))).toBe('accepted');
  expect(command.commits().some(({ bytes }) => Buffer.from(bytes).includes(OTHER_KEY))).toBe(false);
});

test('a posting that waits for its turn while the key changes is checked with the key in force at its turn', async () => {
  const command = await withKey();
  const release = command.log.faults.holdAppends();
  const first = command.post(signed(KEY, posting('CREDIT', 'first', 1n)));
  await command.log.faults.whenHeld(1);
  const update = command.update({ requestId: 'u', accountId: 'hot', signingKey: OTHER_KEY });
  await command.clock.elapse(1);
  const late = [signed(OTHER_KEY, posting('CREDIT', 'new', 1n)), signed(KEY, posting('CREDIT', 'old', 1n))].map((one) => command.batch([one]));
  release();
  expect((await first).result?.balanceAfterMinor).toBe(1n);
  expect((await update).version).toBe(3n);
  expect((await Promise.all(late)).map(({ results }) => verdictOf(results[0]))).toEqual(['accepted', 'SIGNATURE_INVALID']);
});

test('an account without a key takes signed postings as they come', async () => {
  const command = await CommandUnderTest.start();
  await command.open({ accountId: 'hot' });
  expect(await reasonOf(command.post(signed(KEY, posting('CREDIT', 'r', 1n))))).toBe('accepted');
});

test('an atomic batch with a wrong signature is not done', async () => {
  const command = await withKey();
  const answer = await command.batch([signed(KEY, posting('CREDIT', 'a', 1n)), signed(OTHER_KEY, posting('CREDIT', 'b', 1n))], { atomic: true });
  expect(answer.results.map(verdictOf)).toEqual(['BATCH_REFUSED', 'SIGNATURE_INVALID']);
  expect(command.recorded()).toEqual([]);
});

test('the pool changes nothing: the commits are the same to the byte', async () => {
  const items = Array.from({ length: 300 }, (_, at) => {
    const one = posting(at % 3 === 2 ? 'DEBIT' : 'CREDIT', `r${at}`, BigInt(at + 1));
    return at % 7 === 3 ? signed(OTHER_KEY, one) : signed(KEY, one);
  });
  const logs = await Promise.all(
    ([{ pool: 'always' }, { pool: 'always', poolThreads: 3 }, { pool: 'off' }] as const).map(async (options) => {
      const command = await withKey(options);
      const verdicts = (await command.batch(items)).results.map(verdictOf);
      expect(verdicts.filter((verdict) => verdict === 'SIGNATURE_INVALID').length).toBe(items.filter((_, at) => at % 7 === 3).length);
      await command.batch(items.slice(0, 5), { atomic: true });
      return command.storage.partitions.map((commits) => commits.map(({ bytes }) => Buffer.from(bytes).toString('hex')));
    }),
  );
  expect(logs[0]).toEqual(logs[2]);
  expect(logs[1]).toEqual(logs[2]);
});
