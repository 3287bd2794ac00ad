import { status } from '@grpc/grpc-js';
import { accountpb } from '@sluice/protocol/account';
import type { PostingResult } from './account/posting';
import { outcomeOf } from './account/posting-outcome';
import { postingSizeBytes, postingToWire } from './account/posting-wire';
import type { BatchingOptions } from './batching-options';
import { Caller, type UnaryMethod } from './caller';
import { callMetadata } from './channel';
import { ItemBatcher } from './item-batcher';
import { type RetryOptions, retryPolicy } from './retry';
import { SluiceError } from './sluice-error';
import { accepted, grpcError, refused } from './testing/scripted-services';

type Answer = accountpb.PostingResult[] | Partial<Error>;

/** A batcher whose calls are answered by the script, and the requests that it made. */
function batcherAnswering(
  answer: (request: accountpb.PostBatchRequest, call: number) => Answer | Promise<Answer>,
  batching: BatchingOptions = {},
  retry: RetryOptions = {},
) {
  const requests: accountpb.PostBatchRequest[] = [];
  const positions: string[] = [];
  const postBatch = ((request: accountpb.PostBatchRequest, _metadata: unknown, _options: unknown, callback: (error: unknown, response?: unknown) => void) => {
    requests.push(request);
    void Promise.resolve(answer(request, requests.length)).then((given) => {
      if (Array.isArray(given)) callback(null, { results: given, positionToken: `position-${requests.length}`, acceptedCount: given.length });
      else callback(Object.assign(new Error(), given));
    });
  }) as unknown as UnaryMethod<accountpb.PostBatchRequest, accountpb.PostBatchResponse>;
  const caller = new Caller({
    deadlineMs: 5_000,
    retry: retryPolicy({ baseDelayMs: 1, maximumDelayMs: 2, ...retry }),
    metadata: () => callMetadata(undefined),
  });
  const batches = {
    plural: 'postings',
    requestIdOf: (posting: accountpb.Posting) => posting.requestId,
    sizeBytes: postingSizeBytes,
    encode: (posting: accountpb.Posting) => accountpb.Posting.encode(posting).finish(),
    send: async (items: readonly accountpb.Posting[], deadlineAt: number) => {
      const { results, positionToken } = await caller.attempt(postBatch, { postings: [...items], atomic: false }, deadlineAt);
      positions.push(positionToken);
      return items.map((posting, index) => outcomeOf(posting, results[index], positionToken));
    },
  };
  const batcher = new ItemBatcher<accountpb.Posting, PostingResult>(caller, batches, batching);
  const post = (requestId: string, deadlineMs = 5_000, counterparty = ''): Promise<PostingResult> =>
    batcher.add(postingToWire({ requestId, accountId: 'a', type: 'CREDIT', amountMinor: 1n, unit: 'EUR', counterparty }), Date.now() + deadlineMs);
  return { requests, positions, post };
}

const ids = (request: accountpb.PostBatchRequest | undefined): string[] => (request?.postings ?? []).map((posting) => posting.requestId);
const acceptAll = (request: accountpb.PostBatchRequest): Answer => request.postings.map((_, index) => accepted(BigInt(index)));
const failureOf = (call: Promise<unknown>): Promise<SluiceError> =>
  call.then(
    () => {
      throw new Error('it was accepted');
    },
    (error: unknown) => error as SluiceError,
  );

test('what is posted at the same time travels as one batch, each with its own answer', async () => {
  const { requests, post, positions } = batcherAnswering(acceptAll);
  const results = await Promise.all(['r1', 'r2', 'r3'].map((id) => post(id)));
  expect(requests.map(ids)).toEqual([['r1', 'r2', 'r3']]);
  expect(results.map(({ requestId, balanceAfterMinor, positionToken }) => [requestId, balanceAfterMinor, positionToken])).toEqual([
    ['r1', 0n, 'position-1'],
    ['r2', 1n, 'position-1'],
    ['r3', 2n, 'position-1'],
  ]);
  expect(positions).toEqual(['position-1']);
});

test('while calls are in flight postings gather for the next one', async () => {
  let answerFirst = (): void => undefined;
  const firstAnswered = new Promise<void>((resolve) => {
    answerFirst = resolve;
  });
  let firstCalled = (): void => undefined;
  const called = new Promise<void>((resolve) => {
    firstCalled = resolve;
  });
  const { requests, post } = batcherAnswering(
    async (request, call) => {
      if (call === 1) {
        firstCalled();
        await firstAnswered;
      }
      return acceptAll(request);
    },
    { maximumCallsInFlight: 1 },
  );
  const first = post('r1');
  await called;
  const later = [post('r2'), post('r3')];
  await new Promise(setImmediate);
  expect(requests).toHaveLength(1);
  answerFirst();
  await Promise.all([first, ...later]);
  expect(requests.map(ids)).toEqual([['r1'], ['r2', 'r3']]);
});

test.each`
  limit                      | counterparty        | calls
  ${{ maximumPostings: 2 }}  | ${''}               | ${[2, 2, 1]}
  ${{ maximumBytes: 2_500 }} | ${'x'.repeat(1000)} | ${[2, 2, 1]}
  ${{ maximumBytes: 10 }}    | ${''}               | ${[1, 1, 1, 1, 1]}
`('a batch is bounded: $limit', async ({ limit, counterparty, calls }: { limit: BatchingOptions; counterparty: string; calls: number[] }) => {
  const { requests, post } = batcherAnswering(acceptAll, limit);
  await Promise.all([1, 2, 3, 4, 5].map((number) => post(`r${number}`, 5_000, counterparty)));
  expect(requests.map((request) => request.postings.length)).toEqual(calls);
});

test('one refusal leaves the others standing and says at which balance', async () => {
  const { post } = batcherAnswering((request) =>
    request.postings.map((posting) => (posting.requestId === 'bad' ? refused(status.FAILED_PRECONDITION, 'INSUFFICIENT_FUNDS', 7n) : accepted(8n))),
  );
  const [good, bad] = await Promise.all([post('good'), failureOf(post('bad'))]);
  expect(good.balanceAfterMinor).toBe(8n);
  expect(bad).toBeInstanceOf(SluiceError);
  expect(bad).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'INSUFFICIENT_FUNDS', requestId: 'bad', verdict: { balanceMinor: 7n, repeated: false } });
});

test('a call without a server is repeated with the same request ids', async () => {
  const { requests, post } = batcherAnswering((request, call) => (call < 3 ? grpcError(status.UNAVAILABLE, 'PARTITION_UNAVAILABLE') : acceptAll(request)));
  await Promise.all([post('r1'), post('r2')]);
  expect(requests.map(ids)).toEqual([
    ['r1', 'r2'],
    ['r1', 'r2'],
    ['r1', 'r2'],
  ]);
});

test('of a batch only the items without a verdict are sent again', async () => {
  const { requests, post } = batcherAnswering((request, call) =>
    call === 1 ? [accepted(1n), refused(status.UNAVAILABLE, 'PARTITION_UNAVAILABLE'), refused(status.RESOURCE_EXHAUSTED, 'QUEUE_FULL')] : acceptAll(request),
  );
  await Promise.all([post('r1'), post('r2'), post('r3')]);
  expect(requests.map(ids)).toEqual([
    ['r1', 'r2', 'r3'],
    ['r2', 'r3'],
  ]);
});

test('without budget the first failure is the answer, with the request id to call again with', async () => {
  const { requests, post } = batcherAnswering(() => grpcError(status.UNAVAILABLE, ''), {}, { budget: 0 });
  expect(await failureOf(post('r1'))).toMatchObject({ code: 'UNAVAILABLE', requestId: 'r1' });
  expect(requests).toHaveLength(1);
});

test('a deadline that leaves no time for a repeat ends with what went wrong', async () => {
  const { post } = batcherAnswering(() => grpcError(status.UNAVAILABLE, 'PARTITION_UNAVAILABLE'), {}, { baseDelayMs: 1_000, maximumDelayMs: 1_000 });
  expect(await failureOf(post('r1', 100))).toMatchObject({ code: 'UNAVAILABLE', reason: 'PARTITION_UNAVAILABLE', requestId: 'r1' });
});

// The server answers a little before the deadline.
test.each([0, 10_000])('the earliest deadline rules the call; who has time left is sent again (%d ms)', async (deadlineMs) => {
  const { requests, post } = batcherAnswering((request, call) => (call === 1 ? grpcError(status.DEADLINE_EXCEEDED, '') : acceptAll(request)));
  const [hasty, patient] = await Promise.all([failureOf(post('hasty', deadlineMs)), post('patient', 50_000)]);
  expect(hasty).toMatchObject({ code: 'DEADLINE_EXCEEDED', requestId: 'hasty' });
  expect(patient.requestId).toBe('patient');
  expect(requests.map(ids)).toEqual([['hasty', 'patient'], ['patient']]);
});

test('a failure of the whole call that no repeat mends is everybody’s answer', async () => {
  const { requests, post } = batcherAnswering(() => grpcError(status.UNAUTHENTICATED, 'NOT_AUTHENTICATED'));
  const failures = await Promise.all([failureOf(post('r1')), failureOf(post('r2'))]);
  expect(failures.map(({ code, reason, requestId }) => [code, reason, requestId])).toEqual([
    ['UNAUTHENTICATED', 'NOT_AUTHENTICATED', 'r1'],
    ['UNAUTHENTICATED', 'NOT_AUTHENTICATED', 'r2'],
  ]);
  expect(requests).toHaveLength(1);
});

test('the queue of the client is bounded', async () => {
  const { post } = batcherAnswering(acceptAll, { maximumWaiting: 2 });
  const calls = [post('r1'), post('r2')];
  expect(await failureOf(post('r3'))).toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'CLIENT_QUEUE_FULL', requestId: 'r3' });
  await Promise.all(calls);
});
