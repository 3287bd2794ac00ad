/** Reads of accounts whose branch has business dates over gRPC, from rows as the projection writes them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { dateFromText } from '@sluice/domain/day';
import { MemoryReadStore } from '@sluice/memory';
import type { ReadCopy, ReadStore, Row } from '@sluice/ports';
import { PartitionFold, PROJECTIONS, projectionId, READ_COLLECTIONS } from '@sluice/projections';
import { timestampFromUs } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { errorInfoOf, type RunningServer, startServer } from '@sluice/service';
import { SqliteReadStore } from '@sluice/store-sqlite';
import { DatedHistory } from '@sluice/testing';
import { type QueryRuntime, startQuery } from '../query';
import { type Unary, unary } from '../test/calls';

const identity = { incarnation: 'ab'.repeat(16), partitions: 1 };
const FRIDAY = dateFromText('2026-01-30') as number;

/** Friday is registered, closed and rolled; Saturday is online and has ended for the early bird alone. */
function history(): DatedHistory {
  const made = new DatedHistory({ incarnation: identity.incarnation, partition: 0 });
  made.turn([
    { kind: 'open', accountId: 'wallet' },
    { kind: 'open', accountId: 'idle' },
    { kind: 'open', accountId: 'early' },
  ]);
  made.turn([
    { kind: 'post', accountId: 'wallet', deltaMinor: 100n },
    { kind: 'post', accountId: 'idle', deltaMinor: 7n },
  ]);
  made.turn([{ kind: 'set', online: FRIDAY }]);
  made.turn([{ kind: 'post', accountId: 'wallet', deltaMinor: -30n }]);
  made.turn([{ kind: 'cut' }]);
  made.turn([{ kind: 'sweep', size: 10 }]);
  made.turn([
    { kind: 'post', accountId: 'wallet', deltaMinor: 5n },
    { kind: 'post', accountId: 'wallet', deltaMinor: 2n, valueDate: FRIDAY - 1 },
  ]);
  made.turn([{ kind: 'open', accountId: 'new' }]);
  made.turn([{ kind: 'post', accountId: 'early', deltaMinor: 9n, initiated: 'early' }]);
  return made;
}

async function project(copy: ReadCopy, { commits }: DatedHistory): Promise<void> {
  const fold = new PartitionFold(0, PROJECTIONS, new Map(), 100);
  for (const commit of commits) fold.take(commit);
  const loaded = new Map([...fold.missing().keys()].map((collection) => [collection, new Map<string, Row>()]));
  await copy.apply(fold.project(loaded, 'attempt').batch);
}

describe.each(['memory', 'SQLite'])('accounts with business dates on %s', (kind) => {
  let store: ReadStore;
  let query: QueryRuntime;
  let server: RunningServer;
  let client: accountpb.AccountQueryServiceClient;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-dated-accounts-'));
    store =
      kind === 'memory'
        ? new MemoryReadStore({ collections: READ_COLLECTIONS, identity })
        : await SqliteReadStore.open({ file: join(folder, 'read.db'), collections: READ_COLLECTIONS, identity });
    const copy = await store.current();
    const made = history();
    await project(copy, made);
    expect((await copy.checkpoints()).map(({ projection, sequence }) => [projection, sequence])).toEqual(
      expect.arrayContaining(PROJECTIONS.map((projection) => [projectionId(projection), made.commits.length])),
    );
    query = await startQuery({ readStore: store });
    server = await startServer({ host: '127.0.0.1', port: 0 }, query.registrations);
    client = new accountpb.AccountQueryServiceClient(server.address, credentials.createInsecure());
  });

  afterAll(async () => {
    client.close();
    await server.stop(100);
    await query.stop();
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  const call = <Request, Response>(method: Unary<Request, Response>, request: Request): Promise<Response> => unary(method.bind(client), request);
  const get = async (accountId: string): Promise<accountpb.Account | undefined> =>
    (await call<accountpb.GetAccountRequest, accountpb.GetAccountResponse>(client.getAccount, accountpb.GetAccountRequest.fromPartial({ accountId }))).account;
  const balanceAt = (accountId: string, businessDate: string): Promise<bigint | string> =>
    call<accountpb.GetBalanceAtRequest, accountpb.GetBalanceAtResponse>(
      client.getBalanceAt,
      accountpb.GetBalanceAtRequest.fromPartial({ accountId, moment: { $case: 'businessDate', value: businessDate } }),
    ).then(
      ({ balanceMinor }) => balanceMinor,
      (error: ServiceError) => `${status[error.code]} ${errorInfoOf(error)?.reason}`,
    );

  test.each`
    account     | balanceMinor | lastDayBalanceMinor | lastDayDate     | lastDayUpdatedAt | balanceDate     | why
    ${'wallet'} | ${77n}       | ${70n}              | ${'2026-01-30'} | ${6}             | ${'2026-01-31'} | ${'the sweep rolled it'}
    ${'idle'}   | ${7n}        | ${7n}               | ${'2026-01-30'} | ${3}             | ${''}           | ${'the date has ended for all, and nothing was posted since dates were set'}
    ${'new'}    | ${0n}        | ${0n}               | ${'2026-01-30'} | ${8}             | ${''}           | ${'it was opened behind that'}
    ${'early'}  | ${9n}        | ${0n}               | ${'2026-01-31'} | ${3}             | ${'2026-02-01'} | ${'a leg of a branch that has cut already ended the online date for it'}
  `('$account: $why', async ({ account, lastDayUpdatedAt, why: _why, ...expected }) => {
    const seconds = timestampFromUs((lastDayUpdatedAt as number) * 1_000_000);
    expect(await get(account as string)).toMatchObject({ ...expected, lastDayUpdatedAt: seconds });
    const { accounts } = await call<accountpb.ListAccountsRequest, accountpb.ListAccountsResponse>(
      client.listAccounts,
      accountpb.ListAccountsRequest.fromPartial({ branchId: 'north' }),
    );
    expect(accounts.find(({ accountId }) => accountId === account)).toMatchObject({ ...expected, lastDayUpdatedAt: seconds });
  });

  test.each`
    account     | date            | answer                                   | why
    ${'wallet'} | ${'2026-01-29'} | ${100n}                                  | ${'dates were set: the date before closed with what it had'}
    ${'wallet'} | ${'2026-01-30'} | ${70n}                                   | ${'closed'}
    ${'wallet'} | ${'2026-01-31'} | ${'FAILED_PRECONDITION DATE_NOT_CLOSED'} | ${'online'}
    ${'wallet'} | ${'2026-01-28'} | ${'NOT_FOUND ACCOUNT_NOT_OPEN_THEN'}     | ${'the branch had no dates'}
    ${'idle'}   | ${'2026-01-30'} | ${7n}                                    | ${'nothing was posted'}
    ${'new'}    | ${'2026-01-30'} | ${'NOT_FOUND ACCOUNT_NOT_OPEN_THEN'}     | ${'it was opened behind that date'}
    ${'early'}  | ${'2026-01-31'} | ${0n}                                    | ${'it has ended for this account'}
    ${'early'}  | ${'2026-02-01'} | ${'FAILED_PRECONDITION DATE_NOT_CLOSED'} | ${'in future'}
    ${'wallet'} | ${'2026-02-30'} | ${'INVALID_ARGUMENT INVALID_REQUEST'}    | ${'no day of the calendar'}
    ${'wallet'} | ${'30.1.2026'}  | ${'INVALID_ARGUMENT INVALID_REQUEST'}    | ${'not YYYY-MM-DD'}
    ${'wallet'} | ${''}           | ${'INVALID_ARGUMENT INVALID_REQUEST'}    | ${'empty'}
    ${'nobody'} | ${'2026-01-30'} | ${'NOT_FOUND ACCOUNT_NOT_FOUND'}         | ${'no such account'}
  `('$account at $date: $answer ($why)', async ({ account, date, answer }) => {
    expect(await balanceAt(account as string, date as string)).toBe(answer);
  });

  test('entries say at which date they are booked, and at which they were initiated', async () => {
    const { entries } = await call<accountpb.ListEntriesRequest, accountpb.ListEntriesResponse>(
      client.listEntries,
      accountpb.ListEntriesRequest.fromPartial({ accountId: 'wallet', order: accountpb.EntryOrder.ENTRY_ORDER_OLDEST_FIRST }),
    );
    expect(entries.map(({ balanceAfterMinor, businessDate, initiatedDate }) => [balanceAfterMinor, businessDate, initiatedDate])).toEqual([
      [100n, '', '2020-02-20'],
      [70n, '2026-01-30', '2026-01-30'],
      [75n, '2026-01-31', '2026-01-31'],
      [77n, '2026-01-31', '2026-01-29'],
    ]);
  });
});

test('the branch of the account has no business dates', async () => {
  const store = new MemoryReadStore({ collections: READ_COLLECTIONS, identity });
  const made = new DatedHistory({ incarnation: identity.incarnation, partition: 0 });
  made.turn([{ kind: 'open', accountId: 'wallet' }]);
  await project(await store.current(), made);
  const query = await startQuery({ readStore: store });
  const server = await startServer({ host: '127.0.0.1', port: 0 }, query.registrations);
  const client = new accountpb.AccountQueryServiceClient(server.address, credentials.createInsecure());
  const request = accountpb.GetBalanceAtRequest.fromPartial({ accountId: 'wallet', moment: { $case: 'businessDate', value: '2026-01-30' } });
  const answer = unary<accountpb.GetBalanceAtRequest, accountpb.GetBalanceAtResponse>(client.getBalanceAt.bind(client), request);
  const reason = await answer.then(
    () => 'answered',
    (error: ServiceError) => errorInfoOf(error)?.reason,
  );
  client.close();
  await server.stop(100);
  await query.stop();
  await store.close();
  expect(reason).toBe('NO_BUSINESS_DATES');
});
