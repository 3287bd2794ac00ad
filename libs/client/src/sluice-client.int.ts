import { status } from '@grpc/grpc-js';
import { decodePositionToken, encodePositionToken } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { SluiceClient, type SluiceClientOptions, SluiceError } from './index';
import { accepted, grpcError, refused, type Script, type ScriptedServices, startScriptedServices } from './testing/scripted-services';

const INCARNATION = '00112233445566778899aabbccddeeff';
const OTHER_INCARNATION = 'ffeeddccbbaa99887766554433221100';
const position = (partition: number, sequence: number, incarnation = INCARNATION): string =>
  encodePositionToken({ incarnation, sequences: new Map([[partition, sequence]]) });

const running: { services: ScriptedServices; client: SluiceClient }[] = [];

async function clientOf(script: Script, options: SluiceClientOptions = {}): Promise<SluiceClient> {
  const services = await startScriptedServices(script);
  const client = new SluiceClient({ retry: { baseDelayMs: 1, maximumDelayMs: 2 }, ...options, target: services.target });
  running.push({ services, client });
  return client;
}

afterEach(() => {
  for (const { services, client } of running.splice(0)) {
    client.close();
    services.stop();
  }
});

const failureOf = (call: Promise<unknown>): Promise<SluiceError> =>
  call.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error as SluiceError,
  );

const account = (accountId: string): accountpb.Account =>
  accountpb.Account.fromPartial({ accountId, unit: 'EUR', status: accountpb.AccountStatus.ACCOUNT_STATUS_OPEN, openedAt: { seconds: 1n, nanos: 2_000 } });

test('commands carry a request id that stays the same over repeats', async () => {
  const requestIds: string[] = [];
  const client = await clientOf({
    commands: {
      openAccount: ({ request }, callback) => {
        requestIds.push(request.account?.requestId ?? '');
        if (requestIds.length === 1) callback(grpcError(status.UNAVAILABLE, 'PARTITION_UNAVAILABLE'));
        else
          callback(
            null,
            accountpb.OpenAccountResponse.fromPartial({ result: { accountId: 'a', status: accountpb.AccountStatus.ACCOUNT_STATUS_OPEN, version: 1n } }),
          );
      },
    },
  });
  const result = await client.accounts.open({ accountId: 'a', unit: 'EUR', limits: { overdraftMinor: 5n } });
  expect(result).toMatchObject({ accountId: 'a', status: 'OPEN', version: 1n, requestId: requestIds[0] });
  expect(requestIds[0]).toMatch(/^[0-9a-f-]{36}$/);
  expect(requestIds[1]).toBe(requestIds[0]);
});

test('an error names code, reason, metadata and the request', async () => {
  const client = await clientOf({
    commands: { closeAccount: (_call, callback) => callback(grpcError(status.FAILED_PRECONDITION, 'HOLDS_OPEN', 'two holds are open')) },
  });
  const error = await failureOf(client.accounts.close({ accountId: 'a', requestId: 'c-1' }));
  expect(error).toBeInstanceOf(SluiceError);
  expect(error).toMatchObject({
    code: 'FAILED_PRECONDITION',
    reason: 'HOLDS_OPEN',
    message: 'two holds are open',
    metadata: { account_id: 'a' },
    requestId: 'c-1',
  });
});

test('no server at all is UNAVAILABLE, not a hang', async () => {
  const services = await startScriptedServices({});
  services.stop();
  const client = new SluiceClient({ target: services.target, deadlineMs: 300 });
  expect(['UNAVAILABLE', 'DEADLINE_EXCEEDED']).toContain((await failureOf(client.accounts.get('a'))).code);
  client.close();
});

test('a call ends at its deadline', async () => {
  const client = await clientOf({ commands: { postBatch: () => undefined } });
  const error = await failureOf(client.accounts.credit({ accountId: 'a', unit: 'EUR', amountMinor: 1n, requestId: 'r' }, { deadlineMs: 50 }));
  expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', requestId: 'r' });
});

describe('read your writes', () => {
  const script = (tokens: string[], seen: string[], reason?: string): Script => ({
    commands: {
      postBatch: ({ request }, callback) =>
        callback(null, { results: request.postings.map(() => accepted(1n)), positionToken: tokens.shift() ?? '', acceptedCount: 1 }),
    },
    queries: {
      getAccount: ({ request }, callback) => {
        seen.push(request.positionToken, ...request.positionTokens);
        if (reason !== undefined && request.positionToken !== '') callback(grpcError(status.FAILED_PRECONDITION, reason));
        else callback(null, { account: account(request.accountId), positionToken: '' });
      },
    },
  });
  const credit = { accountId: 'a', unit: 'EUR', amountMinor: 1n };

  test('a read carries the position that covers every reply before it', async () => {
    const seen: string[] = [];
    const client = await clientOf(script([position(1, 5), position(2, 7), position(1, 6)], seen));
    for (let count = 0; count < 3; count += 1) await client.accounts.credit(credit);
    await client.accounts.get('a');
    expect(decodePositionToken(seen[0] ?? '')).toEqual({
      incarnation: INCARNATION,
      sequences: new Map([
        [1, 6],
        [2, 7],
      ]),
    });
    expect(client.positionToken).toBe(seen[0]);
  });

  test('a read may carry the tokens of several other clients', async () => {
    const seen: string[] = [];
    const client = await clientOf(script([position(1, 5)], seen));
    await client.accounts.credit(credit);
    await client.accounts.get('a', { positionTokens: [position(2, 7), position(3, 1)] });
    expect(seen).toEqual(['', position(2, 7), position(3, 1)]);
  });

  test('it can be switched off, for a client and for a call', async () => {
    const seen: string[] = [];
    const careless = await clientOf(script([position(1, 5)], seen), { readYourWrites: false });
    await careless.accounts.credit(credit);
    await careless.accounts.get('a');
    const careful = await clientOf(script([position(1, 5)], seen));
    await careful.accounts.credit(credit);
    await careful.accounts.get('a', { positionToken: '' });
    expect(seen).toEqual(['', '']);
  });

  test('after a restore of the log the first read says so and the next one reads what is there', async () => {
    const seen: string[] = [];
    const client = await clientOf(script([position(1, 5)], seen, 'TOKEN_OF_OTHER_LOG'));
    await client.accounts.credit(credit);
    expect(await failureOf(client.accounts.get('a'))).toMatchObject({ reason: 'TOKEN_OF_OTHER_LOG' });
    await expect(client.accounts.get('a')).resolves.toMatchObject({ accountId: 'a', openedAtUs: 1_000_002 });
  });

  test('replies of another incarnation replace what was covered', async () => {
    const seen: string[] = [];
    const client = await clientOf(script([position(1, 5), position(1, 2, OTHER_INCARNATION)], seen));
    await client.accounts.credit(credit);
    await client.accounts.credit(credit);
    expect(client.positionToken).toBe(position(1, 2, OTHER_INCARNATION));
  });
});

describe('batches', () => {
  test('refusals do not throw, and only what has no verdict is sent again', async () => {
    const sent: string[][] = [];
    const client = await clientOf({
      commands: {
        postBatch: ({ request }, callback) => {
          sent.push(request.postings.map((posting) => posting.requestId));
          const results = request.postings.map(({ requestId }) => {
            if (requestId === 'poor') return refused(status.FAILED_PRECONDITION, 'INSUFFICIENT_FUNDS', 3n);
            return requestId === 'late' && sent.length === 1 ? refused(status.UNAVAILABLE, 'PARTITION_UNAVAILABLE') : accepted(9n);
          });
          callback(null, { results, positionToken: position(0, sent.length), acceptedCount: 0 });
        },
      },
    });
    const postings = ['good', 'poor', 'late'].map((requestId) => ({ requestId, accountId: 'a', type: 'DEBIT' as const, amountMinor: 1n, unit: 'EUR' }));
    const outcomes = await client.accounts.postBatch(postings);
    expect(outcomes.map((outcome) => outcome.error?.reason ?? outcome.result?.balanceAfterMinor)).toEqual([9n, 'INSUFFICIENT_FUNDS', 9n]);
    expect(sent).toEqual([['good', 'poor', 'late'], ['late']]);
  });

  test('many accounts are opened in calls that fit, in order', async () => {
    const sizes: number[] = [];
    const client = await clientOf({
      commands: {
        openAccounts: ({ request }, callback) => {
          sizes.push(request.accounts.length);
          const results = request.accounts.map(({ accountId }) =>
            accountId === 'account-3'
              ? { result: undefined, error: { code: status.ALREADY_EXISTS, reason: 'ACCOUNT_EXISTS', message: 'it exists' } }
              : { result: accountpb.CommandResult.fromPartial({ accountId }), error: undefined },
          );
          callback(null, { results, positionToken: '' });
        },
      },
    });
    const outcomes = await client.accounts.openMany(Array.from({ length: 2_500 }, (_, index) => ({ accountId: `account-${index}`, unit: 'EUR' })));
    expect(sizes).toEqual([1_000, 1_000, 500]);
    expect(outcomes).toHaveLength(2_500);
    expect(outcomes[3]?.error?.reason).toBe('ACCOUNT_EXISTS');
    expect(outcomes[2_499]?.result?.accountId).toBe('account-2499');
  });
});

test('a listing asks for page after page as it is read', async () => {
  const asked: string[] = [];
  const client = await clientOf({
    queries: {
      listEntries: ({ request }, callback) => {
        asked.push(request.pageToken);
        const page = Number(request.pageToken || '0');
        const entries = [1, 2].map((number) =>
          accountpb.Entry.fromPartial({ entryNumber: BigInt(page * 2 + number), type: accountpb.PostingType.POSTING_TYPE_DEBIT }),
        );
        callback(null, { entries, nextPageToken: page < 2 ? String(page + 1) : '', positionToken: '' });
      },
    },
  });
  const numbers: bigint[] = [];
  for await (const entry of client.accounts.entries('a', { order: 'OLDEST_FIRST' })) numbers.push(entry.entryNumber);
  expect(numbers).toEqual([1n, 2n, 3n, 4n, 5n, 6n]);
  for await (const entry of client.accounts.entries('a')) if (entry.entryNumber === 1n) break;
  expect(asked).toEqual(['', '1', '2', '']);
});

test('leaving a watch cancels it at the server', async () => {
  let cancelled = (): void => undefined;
  const left = new Promise<void>((resolve) => {
    cancelled = resolve;
  });
  const client = await clientOf({
    queries: {
      watchAccount: (call) => {
        call.on('cancelled', cancelled);
        call.write({ account: account('a'), positionToken: '' });
        call.write({ account: account('a'), positionToken: '' });
      },
    },
  });
  let seen = 0;
  for await (const view of client.accounts.watch('a')) {
    expect(view.accountId).toBe('a');
    seen += 1;
    if (seen === 2) break;
  }
  await left;
});

describe('a stream of postings', () => {
  const postings = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ requestId: `r${index}`, accountId: 'a', type: 'CREDIT' as const, amountMinor: 1n, unit: 'EUR' }));
  const answer = (posting: accountpb.Posting | undefined, result: accountpb.PostingResult): accountpb.PostStreamResponse => ({
    requestId: posting?.requestId ?? '',
    accountId: posting?.accountId ?? '',
    result,
    positionToken: position(0, 1),
  });

  test('is bounded in flight and answers each posting', async () => {
    let underWay = 0;
    let most = 0;
    const client = await clientOf({
      commands: {
        postStream: (call) => {
          call.on('data', ({ posting }: accountpb.PostStreamRequest) => {
            underWay += 1;
            most = Math.max(most, underWay);
            setImmediate(() => {
              underWay -= 1;
              call.write(answer(posting, posting?.requestId === 'r3' ? refused(status.FAILED_PRECONDITION, 'ACCOUNT_FROZEN') : accepted(1n)));
            });
          });
          call.on('end', () => call.end());
        },
      },
    });
    const outcomes: string[] = [];
    for await (const outcome of client.accounts.postStream(postings(20), { maximumInFlight: 4 }))
      outcomes.push(`${outcome.requestId} ${outcome.error?.reason ?? 'accepted'}`);
    expect(outcomes).toHaveLength(20);
    expect(outcomes).toContain('r3 ACCOUNT_FROZEN');
    expect(most).toBeLessThanOrEqual(4);
  });

  test('goes on over a new connection when one breaks, with what has no answer', async () => {
    const received: string[][] = [];
    const client = await clientOf({
      commands: {
        postStream: (call) => {
          const ofThisStream: string[] = [];
          received.push(ofThisStream);
          call.on('data', ({ posting }: accountpb.PostStreamRequest) => {
            ofThisStream.push(posting?.requestId ?? '');
            if (received.length === 1 && ofThisStream.length === 3) call.emit('error', grpcError(status.UNAVAILABLE, 'SHUTTING_DOWN'));
            else if (received.length > 1 || ofThisStream.length === 1) call.write(answer(posting, accepted(1n)));
          });
        },
      },
    });
    const outcomes: string[] = [];
    for await (const outcome of client.accounts.postStream(postings(5))) outcomes.push(outcome.requestId);
    expect(new Set(outcomes)).toEqual(new Set(['r0', 'r1', 'r2', 'r3', 'r4']));
    expect(outcomes).toHaveLength(5);
    expect(received).toHaveLength(2);
  });
});
