/** One answer per request id, for ever: the first one again for the same body, a refusal for another; wherever the first one is by then. */
import { accountpb } from '@sluice/protocol/account';
import { CommandUnderTest, posting, reasonOf, verdictOf } from '../test/command-under-test';

afterAll(() => CommandUnderTest.stopAll());

/** Every commit leads to a snapshot, and no commit stays in memory: ids are found on disk. */
const FORGETFUL = { snapshotBytes: 1, recentBytes: 1 };

const metadata = { order: '4711', shop: 'north', note: 'ü'.repeat(100) };
const full: Partial<accountpb.Posting> = { ...posting('CREDIT', 'r1', 10n), counterparty: 'shop 42', channel: 'app', initiatedDate: '2026-01-02', metadata };

async function withAccount(limits: object = {}): Promise<CommandUnderTest> {
  const command = await CommandUnderTest.start({ limits });
  await command.open({ accountId: 'hot' });
  return command;
}

/** The ways of a first request into the past. */
const PASTS: Record<string, (command: CommandUnderTest) => Promise<void>> = {
  'is durable': async () => undefined,
  'was answered by another process': (command) => command.restart(),
  'was answered by a process that died': (command) => command.crash(),
  'has left memory': (command) => command.forget('hot', 'r1'),
  'has left memory, over a restart': async (command) => {
    await PASTS['has left memory']?.(command);
    await command.restart();
  },
};

describe.each(Object.keys(PASTS))('when the first request %s', (past) => {
  let command: CommandUnderTest;
  let first: accountpb.PostResponse;

  beforeAll(async () => {
    command = await withAccount(FORGETFUL);
    first = await command.post(full);
    await command.batch([posting('CREDIT', 'zero', 0n), posting('DEBIT', 'refused', 1_000n), posting('HOLD', 'hold', 3n)]);
    await PASTS[past]?.(command);
  });

  test('the same body gets the first answer again, marked as a repeat', async () => {
    const again = await command.post(full);
    expect(again.result).toEqual({ ...first.result, repeated: true });
    expect(command.timesRecorded('hot', 'r1')).toBe(1);
  });

  test('also with its fields in another order and twice, and with its metadata in another order', async () => {
    const reordered = { ...full, metadata: Object.fromEntries(Object.entries(metadata).reverse()) };
    expect((await command.post(reordered)).result).toEqual({ ...first.result, repeated: true });
    const one = accountpb.Posting.encode(accountpb.Posting.fromPartial({ requestId: 'r1', metadata: { note: metadata.note } })).finish();
    const two = accountpb.Posting.encode(accountpb.Posting.fromPartial({ ...full, requestId: 'other', metadata: { shop: 'north', order: '4711' } })).finish();
    const merged = Buffer.concat([two, one]);
    const request = Buffer.concat([Buffer.from([0x0a, (merged.length & 0x7f) | 0x80, merged.length >> 7]), merged]);
    expect((await command.postBytes(request)).result).toEqual({ ...first.result, repeated: true });
  });

  test.each<[string, Partial<accountpb.Posting>]>([
    ['amount', { amountMinor: 11n }],
    ['type', { type: accountpb.PostingType.POSTING_TYPE_DEBIT }],
    ['unit', { unit: 'USD' }],
    ['counterparty', { counterparty: 'shop 43' }],
    ['channel', { channel: '' }],
    ['date', { initiatedDate: '2026-01-03' }],
    ['metadata', { metadata: { ...metadata, shop: 'south' } }],
    ['one pair more', { metadata: { ...metadata, more: '' } }],
  ])('another %s is another body, and is refused', async (_, change) => {
    expect(await reasonOf(command.post({ ...full, ...change }))).toBe('REQUEST_ID_REUSED');
  });

  test('a refusal is answered as it was, though it might pass today', async () => {
    await command.post(posting('CREDIT', 'much', 10_000n));
    const answer = await command.batch([posting('DEBIT', 'refused', 1_000n), posting('HOLD', 'hold', 3n)]);
    expect(answer.results.map((result) => [verdictOf(result), result.balanceAfterMinor, result.heldAfterMinor, result.entryNumber])).toEqual([
      ['INSUFFICIENT_FUNDS again', 10n, 0n, 0n],
      ['accepted again', 10n, 3n, 2n],
    ]);
  });

  test('what was not recorded may come in another shape', async () => {
    expect((await command.post(posting('CREDIT', 'zero', 5n))).result?.repeated).toBe(false);
  });

  test('the ids of commands and of postings are one scope', async () => {
    expect(await reasonOf(command.post(posting('CREDIT', 'open hot', 1n)))).toBe('REQUEST_ID_REUSED');
    expect(await reasonOf(command.freeze({ requestId: 'r1', accountId: 'hot' }))).toBe('REQUEST_ID_REUSED');
  });

  test('another account may use the id', async () => {
    await command.open({ accountId: 'cold' });
    expect((await command.post({ ...full, accountId: 'cold' })).result?.repeated).toBe(false);
  });

  test('nothing troubled the engine', () => expect(command.troubles).toEqual([]));
});

describe('within one batch', () => {
  test('the second is answered like the first, another body is refused', async () => {
    const command = await withAccount();
    const answer = await command.batch([
      posting('CREDIT', 'a', 5n),
      posting('CREDIT', 'a', 5n),
      posting('CREDIT', 'a', 6n),
      posting('DEBIT', 'b', 99n),
      posting('DEBIT', 'b', 99n),
    ]);
    expect(answer.results.map((result) => [verdictOf(result), result.balanceAfterMinor])).toEqual([
      ['accepted', 5n],
      ['accepted again', 5n],
      ['REQUEST_ID_REUSED', 0n],
      ['INSUFFICIENT_FUNDS', 5n],
      ['INSUFFICIENT_FUNDS again', 5n],
    ]);
    expect(command.timesRecorded('hot', 'a')).toBe(1);
  });
});

describe('while the first is in flight', () => {
  test('waits for it and is answered with it', async () => {
    const command = await withAccount({ decideAheadCommands: 1 });
    const release = command.log.faults.holdAppends();
    const first = command.post(full);
    await command.log.faults.whenHeld(1);
    let answered = false;
    const second = command.post(full).finally(() => {
      answered = true;
    });
    const other = reasonOf(command.post({ ...full, amountMinor: 1n }));
    await command.clock.elapse(10);
    expect(answered).toBe(false);
    release();
    expect((await first).result).toMatchObject({ repeated: false, balanceAfterMinor: 10n });
    expect((await second).result).toMatchObject({ repeated: true, balanceAfterMinor: 10n });
    expect(await other).toBe('REQUEST_ID_REUSED');
  });

  test.each([
    ['and its append fails, neither is done; sent again, it is', false],
    ['and its append fails after storing, it was done; sent again, it is answered', true],
  ])('%s', async (_, stored) => {
    const command = await withAccount({ decideAheadCommands: 1 });
    const release = command.log.faults.holdAppends();
    if (stored) command.log.faults.failNextAppendAfterStoring();
    else command.log.faults.failNextAppend();
    // The fault is the next append's; that one is held.
    const first = reasonOf(command.post(full));
    await command.log.faults.whenHeld(1);
    const second = reasonOf(command.post(full));
    const batch = command.batch([full, posting('CREDIT', 'new', 1n)]);
    await command.clock.elapse(10);
    release();
    expect(await first).toBe('PARTITION_UNAVAILABLE');
    expect(await second).toBe('PARTITION_UNAVAILABLE');
    expect((await batch).results.map(verdictOf)).toEqual(['PARTITION_UNAVAILABLE', 'PARTITION_UNAVAILABLE']);
    await command.untilServing();
    const again = await command.post(full);
    expect(again.result).toMatchObject({ repeated: stored, balanceAfterMinor: 10n });
    expect(command.timesRecorded('hot', 'r1')).toBe(1);
    expect((await command.post(posting('DEBIT', 'all', 10n))).result?.balanceAfterMinor).toBe(0n);
  });

  test('an atomic batch of a repeat and new items, between them an append that fails: all or none of what is new', async () => {
    const command = await withAccount();
    await command.post(full);
    const batch = [full, posting('CREDIT', 'n1', 1n), posting('CREDIT', 'n2', 2n)];
    const reading = command.log.read.bind(command.log);
    await command.restart();
    // The first answer is looked up in the log; meanwhile the partition loses its memory.
    let failed = false;
    command.log.read = async (...asked) => {
      if (!failed) {
        failed = true;
        command.log.faults.failNextAppend();
        await reasonOf(command.post(posting('CREDIT', 'lost', 100n)));
      }
      return reading(...asked);
    };
    const answer = await command.batch(batch, { atomic: true });
    command.log.read = reading;
    expect(answer.results.slice(1).map(verdictOf)).toEqual(['PARTITION_UNAVAILABLE', 'PARTITION_UNAVAILABLE']);
    await command.untilServing();
    const again = await command.batch(batch, { atomic: true });
    expect(again.results.map((result) => [verdictOf(result), result.balanceAfterMinor])).toEqual([
      ['accepted again', 10n],
      ['accepted', 11n],
      ['accepted', 13n],
    ]);
    await command.crash();
    expect((await command.post(posting('DEBIT', 'all', 13n))).result?.balanceAfterMinor).toBe(0n);
  });
});

test('the token of a repeat, and of what was refused without a record, names a commit that is there', async () => {
  const command = await withAccount();
  const { positionToken } = await command.post(full);
  expect((await command.post(full)).positionToken).toBe(positionToken);
  expect((await command.batch([posting('CREDIT', 'nothing', 0n)])).positionToken).toBe(positionToken);
  expect((await command.batch([full, full])).positionToken).toBe(positionToken);
});

test('a look-up that fails refuses what cannot be known, and nothing is done twice', async () => {
  const command = await withAccount(FORGETFUL);
  await command.post(full);
  await command.forget('hot', 'r1');
  const damaged = [...command.blocks.keys()].filter((name) => name.includes('/block-'));
  const kept = new Map(damaged.map((name) => [name, command.blocks.get(name) as Uint8Array]));
  for (const name of damaged) command.blocks.delete(name);
  expect(await reasonOf(command.post(full))).toBe('PARTITION_UNAVAILABLE');
  for (const [name, bytes] of kept) command.blocks.set(name, bytes);
  expect((await command.post(full)).result?.repeated).toBe(true);
  expect(command.timesRecorded('hot', 'r1')).toBe(1);
});

test.each([
  ['is dropped', 0],
  ['is kept', 30_000],
])('a random order of firsts, repeats, restarts and failing appends, whose memory %s, records each request once', async (_, doubtMs) => {
  const command = await withAccount({ snapshotBytes: 500, recentBytes: 500, decideAheadCommands: 1, doubtMs });
  const acknowledged = new Map<string, bigint>();
  let seed = 12_345;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let round = 0; round < 150; round += 1) {
    const items = Array.from({ length: 1 + random(5) }, () => posting('CREDIT', `r${random(200)}`, 1n));
    const fault = random(12);
    if (fault === 0) command.log.faults.failNextAppend();
    else if (fault === 1) command.log.faults.failNextAppendAfterStoring();
    else if (fault === 2) await command.restart();
    else if (fault === 3) await command.crash();
    let waiting = true;
    const answering = Promise.all([command.batch(items), command.batch(items.slice(0, 2))]).finally(() => (waiting = false));
    while (waiting) await command.clock.elapse(10);
    const answers = await answering;
    answers.forEach(({ results }) =>
      results.forEach((result, at) => {
        if (result.error !== undefined) return;
        const id = items[at]?.requestId as string;
        expect(acknowledged.get(id) ?? result.entryNumber).toBe(result.entryNumber);
        acknowledged.set(id, result.entryNumber);
      }),
    );
    await command.clock.elapse(300);
    await command.untilServing();
  }
  expect(acknowledged.size).toBeGreaterThan(100);
  for (const [id, entryNumber] of acknowledged) {
    expect(command.timesRecorded('hot', id)).toBe(1);
    expect((await command.post(posting('CREDIT', id, 1n))).result).toMatchObject({ repeated: true, entryNumber });
  }
  const recorded = command.recorded().reduce((sum, { acceptedCount }) => sum + acceptedCount, 0);
  expect((await command.post(posting('CREDIT', 'last', 1n))).result?.balanceAfterMinor).toBe(BigInt(recorded + 1));
});
