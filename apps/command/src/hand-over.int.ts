/** An instance hands its partitions over while calls for them are in flight: they are answered, by the next owner if need be. */
import { credentials, type ServiceError } from '@grpc/grpc-js';
import { keyHash } from '@sluice/domain';
import { accountpb } from '@sluice/protocol/account';
import { contestpb } from '@sluice/protocol/contest';
import { errorInfoOf } from '@sluice/service';
import { posting, verdictOf } from './test/command-under-test';
import { answered, type SharingInstance, SharingInstances } from './test/sharing-instances';

const ACCOUNTS = Array.from({ length: 24 }, (_, at) => `account ${at}`);

let instances: SharingInstances;
let one: SharingInstance;
let two: SharingInstance;
let accounts: readonly string[];

beforeEach(async () => {
  instances = new SharingInstances({ partitions: 4 });
  one = await instances.start('one');
  two = await instances.start('two');
  await instances.untilShared();
  await one.open(ACCOUNTS);
  accounts = ACCOUNTS.filter((accountId) => {
    const { engine } = two.command;
    const bytes = Buffer.from(accountId);
    return engine.partition(engine.partitionOfHash(keyHash(bytes, 0, bytes.length))) !== undefined;
  });
});

afterEach(() => instances.stop());

interface Answered {
  readonly error?: { readonly reason: string } | undefined;
}

/** As callers do: what is PARTITION_UNAVAILABLE, because the next owner was not there yet, is sent again with the same request ids. */
async function untilAnswered<Item extends Answered>(send: () => Promise<{ readonly results: readonly Item[] }>): Promise<readonly Item[]> {
  for (;;) {
    const { results } = await send();
    if (results.every(({ error }) => error?.reason !== 'PARTITION_UNAVAILABLE')) return results;
  }
}

/** Commits that cannot reach the log; two hands over meanwhile. */
async function handOverWith<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  const release = two.log.faults.holdAppends();
  const called = call();
  await two.log.faults.whenHeld(1);
  await two.command.handOver();
  const answer = await called;
  release();
  return answer;
}

test.each(['at the instance that hands over', 'sent on to it by another'])('postings whose commit does not become durable, %s', async (where) => {
  const asked = where.startsWith('at') ? two : one;
  const items = accounts.map((accountId) => posting('CREDIT', 'c', 5n, { accountId }));
  const results = await handOverWith(() => untilAnswered(() => asked.batch(items)));
  expect(results.map(({ error, balanceAfterMinor }) => [error, balanceAfterMinor])).toEqual(accounts.map(() => [undefined, 5n]));
  const again = await one.batch(accounts.map((accountId) => posting('CREDIT', 'c', 5n, { accountId })));
  expect(again.results.map((result) => [verdictOf(result), result.balanceAfterMinor])).toEqual(accounts.map(() => ['accepted again', 5n]));
});

test('an atomic batch whose commit does not become durable', async () => {
  const [accountId] = accounts;
  const items = [posting('CREDIT', 'a', 5n, { accountId: accountId as string }), posting('DEBIT', 'b', 2n, { accountId: accountId as string })];
  const results = await handOverWith(() => untilAnswered(() => two.batch(items, true)));
  expect(results.map(({ error, balanceAfterMinor }) => [error, balanceAfterMinor])).toEqual([
    [undefined, 5n],
    [undefined, 3n],
  ]);
});

test.each(['at the instance that hands over', 'sent on to it by another'])('commands, %s', async (where) => {
  const asked = where.startsWith('at') ? two : one;
  const freeze = async (accountId: string): Promise<accountpb.FreezeAccountResponse> => {
    for (;;) {
      try {
        return await answered<accountpb.FreezeAccountResponse>((done) => asked.client.freezeAccount({ requestId: 'f', accountId, note: '' }, done));
      } catch (error) {
        if (errorInfoOf(error as ServiceError)?.reason !== 'PARTITION_UNAVAILABLE') throw error;
      }
    }
  };
  const frozen = await handOverWith(() => Promise.all(accounts.map(freeze)));
  expect(frozen.map(({ result }) => result?.status)).toEqual(accounts.map(() => accountpb.AccountStatus.ACCOUNT_STATUS_FROZEN));
});

test('openings', async () => {
  const openings = accounts.map((accountId) => ({ requestId: 'open', accountId: `{${accountId}} new`, unit: 'EUR' }));
  const request = accountpb.OpenAccountsRequest.fromPartial({ accounts: openings });
  const results = await handOverWith(() => untilAnswered(() => answered<accountpb.OpenAccountsResponse>((done) => two.client.openAccounts(request, done))));
  expect(results.map(({ error }) => error)).toEqual(accounts.map(() => undefined));
});

test.each(['at the instance that hands over', 'sent on to it by another'])('scores of contests of every partition in one batch, %s', async (where) => {
  const asked = where.startsWith('at') ? two : one;
  const client = new contestpb.ContestCommandServiceClient(asked.server.address, credentials.createInsecure());
  // Contests are found as accounts are.
  const contestIds = ACCOUNTS.slice(0, 12);
  const sides = ['r', 'b'].map((accountId) => ({ sideId: accountId, accountIds: [accountId] }));
  for (const contestId of contestIds) {
    await answered((done) => client.createContest(contestpb.CreateContestRequest.fromPartial({ requestId: 'create', contestId, sides }), done));
    await answered((done) => client.startContest(contestpb.StartContestRequest.fromPartial({ requestId: 'start', contestId }), done));
  }
  const scores = contestIds.flatMap((contestId) => ['s1', 's2'].map((requestId) => ({ contestId, requestId, accountId: 'r', points: 5n })));
  const request = contestpb.ScoreBatchRequest.fromPartial({ scores });
  const score = () => untilAnswered(() => answered<contestpb.ScoreBatchResponse>((done) => client.scoreBatch(request, done)));
  try {
    const results = await handOverWith(score);
    const points = contestIds.flatMap(() => [5n, 10n]);
    expect(results.map(({ error, sideRoundPoints }) => error ?? sideRoundPoints)).toEqual(points);
    expect((await score()).map(({ repeated, sideRoundPoints }) => repeated && sideRoundPoints)).toEqual(points);
  } finally {
    client.close();
  }
});

test('an instance that owns nothing any more sends on what callers still ask it for', async () => {
  await two.command.handOver();
  expect(two.command.engine.owned).toEqual([]);
  const results = await untilAnswered(() => two.batch(ACCOUNTS.map((accountId) => posting('CREDIT', 'c', 5n, { accountId }))));
  expect(results.map(({ error }) => error)).toEqual(ACCOUNTS.map(() => undefined));
});
