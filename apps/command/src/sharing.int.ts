/** Several instances share the partitions: whichever one is asked, the owner decides, and the answers are the same. */
import type { ServiceError } from '@grpc/grpc-js';
import { accountpb } from '@sluice/protocol/account';
import { errorInfoOf } from '@sluice/service';
import type { Metrics } from '@sluice/telemetry';
import { posting, verdictOf } from './test/command-under-test';
import { answered, type SharingInstance, SharingInstances } from './test/sharing-instances';

const PARTITIONS = 4;
const ACCOUNTS = Array.from({ length: 24 }, (_, at) => `account ${at}`);

const instances = new SharingInstances({ partitions: PARTITIONS });

/** Calls that the second instance answered, by method. */
const calls = new Map<string, number>();
const count = (_seconds: number, { method }: { method: string }): void => void calls.set(method, (calls.get(method) ?? 0) + 1);

let one: SharingInstance;
let two: SharingInstance;

beforeAll(async () => {
  one = await instances.start('one');
  two = await instances.start('two', { server: { metrics: { enabled: true, histogram: () => count } as unknown as Metrics } });
  await instances.untilShared();
  await one.open(ACCOUNTS);
});

afterAll(() => instances.stop());

test('every instance answers for every partition, and a repeat through another one is a repeat', async () => {
  const items = ACCOUNTS.flatMap((accountId) => [
    posting('CREDIT', 'c', 5n, { accountId }),
    posting('DEBIT', 'd', 7n, { accountId }),
    posting('CREDIT', '', 1n, { accountId }),
  ]);
  const first = await one.batch(items);
  expect(first.results.map((result) => [verdictOf(result), result.balanceAfterMinor])).toEqual(
    ACCOUNTS.flatMap(() => [
      ['accepted', 5n],
      ['INSUFFICIENT_FUNDS', 5n],
      ['INVALID_REQUEST', 0n],
    ]),
  );
  const again = await two.batch(items);
  expect(again.results.map(verdictOf)).toEqual(ACCOUNTS.flatMap(() => ['accepted again', 'INSUFFICIENT_FUNDS again', 'INVALID_REQUEST']));
  expect(again.results.map(({ balanceAfterMinor, entryNumber }) => [balanceAfterMinor, entryNumber])).toEqual(
    first.results.map(({ balanceAfterMinor, entryNumber }) => [balanceAfterMinor, entryNumber]),
  );
});

test('an atomic batch that is sent on is refused whole when one item has a wrong shape', async () => {
  for (const accountId of ACCOUNTS) {
    for (const instance of [one, two]) {
      const refused = await instance.batch([posting('CREDIT', 'atomic', 1n, { accountId }), posting('CREDIT', 'bad', 1n, { accountId, unit: '' })], true);
      expect(refused.results.map(verdictOf)).toEqual(['BATCH_REFUSED', 'INVALID_REQUEST']);
    }
    const done = await one.batch([posting('CREDIT', 'atomic', 1n, { accountId }), posting('DEBIT', 'atomic too', 2n, { accountId })], true);
    expect(done.results.map((result) => [verdictOf(result), result.balanceAfterMinor])).toEqual([
      ['accepted', 6n],
      ['accepted', 4n],
    ]);
  }
});

test('a stream and single calls through another instance have a verdict for each posting, and travel together', async () => {
  const accounts = Array.from({ length: 24 }, (_, at) => `streamed to ${at}`);
  await one.open(accounts);
  const POST_BATCH = accountpb.AccountCommandServiceService.postBatch.path;
  const before = calls.get(POST_BATCH) ?? 0;
  const streamed = Array.from({ length: 3_000 }, (_, at) => posting('CREDIT', `streamed ${at}`, 1n, { accountId: accounts[at % accounts.length] as string }));
  const stream = one.client.postStream();
  for (const item of streamed) stream.write(accountpb.PostStreamRequest.fromPartial({ posting: item }));
  stream.write(accountpb.PostStreamRequest.fromPartial({ posting: posting('CREDIT', 'unknown', 1n, { accountId: 'nobody' }) }));
  stream.write(accountpb.PostStreamRequest.fromPartial({ posting: posting('CREDIT', 'streamed 0', 1n, { accountId: accounts[0] as string }) }));
  stream.end();
  const single = Promise.all(
    accounts.map((accountId) =>
      answered<accountpb.PostResponse>((done) =>
        one.client.post(accountpb.PostRequest.fromPartial({ posting: posting('CREDIT', 'single', 1n, { accountId }) }), done),
      ),
    ),
  );
  const verdicts = new Map<string, string[]>();
  for await (const answer of stream as AsyncIterable<accountpb.PostStreamResponse>) {
    verdicts.set(answer.requestId, [...(verdicts.get(answer.requestId) ?? []), verdictOf(answer.result)]);
  }
  for (const { result } of await single) expect(verdictOf(result)).toBe('accepted');
  expect(verdicts.get('unknown')).toEqual(['ACCOUNT_NOT_FOUND']);
  expect(verdicts.get('streamed 0')).toEqual(['accepted', 'accepted again']);
  expect(verdicts.size).toBe(streamed.length + 1);
  for (const item of streamed.slice(1)) expect(verdicts.get(item.requestId as string)).toEqual(['accepted']);
  // Half of the 3,026 go to the other instance, in fewer hops; how many fewer depends on how fast the hops are answered.
  expect((calls.get(POST_BATCH) ?? 0) - before).toBeLessThan(1_513);
});

test('commands are sent on with their refusals', async () => {
  for (const accountId of ACCOUNTS) {
    const { result } = await answered<accountpb.FreezeAccountResponse>((done) => two.client.freezeAccount({ requestId: 'f', accountId, note: '' }, done));
    expect(result).toMatchObject({ status: accountpb.AccountStatus.ACCOUNT_STATUS_FROZEN, repeated: false });
    const repeated = await answered<accountpb.FreezeAccountResponse>((done) => one.client.freezeAccount({ requestId: 'f', accountId, note: '' }, done));
    expect(repeated.result).toMatchObject({ repeated: true, version: result?.version });
    const refused = await answered((done) => one.client.freezeAccount({ requestId: 'f2', accountId, note: '' }, done)).catch(
      (error: ServiceError) => errorInfoOf(error)?.reason,
    );
    expect(refused).toBe('ALREADY_FROZEN');
  }
});

test('when an instance goes, the other owns all, and nothing is lost or done twice', async () => {
  await two.stop();
  await instances.untilShared();
  const again = await one.batch(ACCOUNTS.map((accountId) => posting('CREDIT', 'c', 5n, { accountId })));
  expect(again.results.map((result) => [verdictOf(result), result.balanceAfterMinor])).toEqual(ACCOUNTS.map(() => ['accepted again', 5n]));
  const more = await one.batch(ACCOUNTS.map((accountId) => posting('CREDIT', 'more', 1n, { accountId })));
  expect(more.results.map(({ balanceAfterMinor }) => balanceAfterMinor)).toEqual(ACCOUNTS.map(() => 5n));
});
