/** Every read over gRPC, from a read store that only projected commits have filled. There is no log anywhere near. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClientReadableStream, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { partitionOfKey } from '@sluice/domain';
import { NO_LIMITS, type PostingType } from '@sluice/domain/account';
import { MemoryReadStore } from '@sluice/memory';
import type { Checkpoint, ProjectedBatch, ReadCopy, ReadStore, Row } from '@sluice/ports';
import { PartitionFold, projectionId, PROJECTIONS, READ_COLLECTIONS } from '@sluice/projections';
import { accountProjection } from '@sluice/projections/account';
import { mergePositionTokens, encodePositionToken, readCommit, timestampFromUs } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { errorInfoOf, type RunningServer, startServer } from '@sluice/service';
import { SqliteReadStore } from '@sluice/store-sqlite';
import { AccountHistory, type HistoryCommand } from '@sluice/testing';
import { type QueryRuntime, startQuery } from './query';

const INCARNATION = 'ab'.repeat(16);
const PARTITIONS = 2;
const START_US = 1_700_000_000_000_000;

/** The projector's part, in so few lines as a test wants. */
class Projection {
  readonly histories = Array.from({ length: PARTITIONS }, (_, partition) => new AccountHistory({ incarnation: INCARNATION, partition }));
  private attempts = 0;
  private requests = 0;
  atUs = START_US;

  constructor(private readonly store: ReadStore) {}

  partitionOf(accountId: string): number {
    return partitionOfKey(Buffer.from(accountId), PARTITIONS);
  }

  history(accountId: string): AccountHistory {
    return this.histories[this.partitionOf(accountId)] as AccountHistory;
  }

  /** One commit on the account's partition, projected at once; resolves with its sequence. */
  async turn(accountId: string, commands: readonly HistoryCommand[]): Promise<number> {
    this.atUs += 1_000_000;
    const { sequence } = this.history(accountId).turn(commands, this.atUs);
    await this.fill(await this.store.current());
    return sequence;
  }

  open(accountId: string, branchId = 'north', product = 'basic'): Promise<number> {
    const command = {
      kind: 'open' as const,
      accountId,
      unit: 'EUR',
      branchId,
      product,
      limits: { ...NO_LIMITS, overdraftMinor: 10n, maximumPostingMinor: 1_000n },
      signingKeyId: 'key-1',
    };
    return this.turn(accountId, [{ kind: 'account', accountId, requestId: `open-${accountId}`, command }]);
  }

  posting(accountId: string, type: PostingType, amountMinor: bigint, holdId = ''): HistoryCommand {
    this.requests += 1;
    return { kind: 'post', accountId, posting: { requestId: `request-${this.requests}`, type, amountMinor, unit: 'EUR', holdId, final: false } };
  }

  /** Brings the copy up to date with the histories. */
  async fill(copy: ReadCopy): Promise<void> {
    const standing = (await copy.checkpoints()).filter(({ projection }) => projection === projectionId(accountProjection));
    const checkpoints = new Map(standing.map((one) => [one.partition, one.sequence]));
    for (const { commits } of this.histories) {
      const missing = commits.filter((commit) => commit.sequence > (checkpoints.get(commit.partition) ?? 0));
      if (missing[0] === undefined) continue;
      const fold = new PartitionFold(missing[0].partition, PROJECTIONS, new Map(), 10);
      for (const commit of missing) fold.take(readCommit(commit.bytes));
      const loaded = new Map<string, Map<string, Row>>();
      for (const [collection, keys] of fold.missing()) {
        const rows = await copy.getMany(collection, keys);
        loaded.set(collection, new Map(rows.flatMap((row, index) => (row === undefined ? [] : [[keys[index] as string, row] as const]))));
      }
      this.attempts += 1;
      await copy.apply(fold.project(loaded, `attempt-${this.attempts}`).batch);
    }
  }
}

type Unary<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: object,
  callback: (error: ServiceError | null, response: Response) => void,
) => unknown;

/** What a test puts another method over. */
const methodsOf = (copy: ReadCopy): ReadCopy => ({
  name: copy.name,
  get: (...asked) => copy.get(...asked),
  getMany: (...asked) => copy.getMany(...asked),
  find: (...asked) => copy.find(...asked),
  apply: (batch) => copy.apply(batch),
  checkpoints: () => copy.checkpoints(),
});

describe.each(['memory', 'SQLite'])('queries on %s', (kind) => {
  let store: ReadStore;
  let projection: Projection;
  let query: QueryRuntime;
  let server: RunningServer;
  let client: accountpb.AccountQueryServiceClient;
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-query-'));
    const identity = { incarnation: INCARNATION, partitions: PARTITIONS };
    store =
      kind === 'memory'
        ? new MemoryReadStore({ collections: READ_COLLECTIONS, identity })
        : await SqliteReadStore.open({ file: join(folder, 'read.db'), collections: READ_COLLECTIONS, identity });
    projection = new Projection(store);
    query = await startQuery({ readStore: store });
    server = await startServer({ host: '127.0.0.1', port: 0 }, query.registrations);
    client = new accountpb.AccountQueryServiceClient(server.address, credentials.createInsecure());
  });

  afterEach(async () => {
    client.close();
    await server.stop(100);
    await query.stop();
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  function call<Request, Response>(method: Unary<Request, Response>, request: Request, deadlineMs = 10_000): Promise<Response> {
    return new Promise((resolve, reject) => {
      method.call(client, request, new Metadata(), { deadline: Date.now() + deadlineMs }, (error, response) =>
        error === null ? resolve(response) : reject(error),
      );
    });
  }
  const getAccount = (accountId: string, positionToken = '', deadlineMs?: number) =>
    call<accountpb.GetAccountRequest, accountpb.GetAccountResponse>(client.getAccount, { accountId, positionToken, positionTokens: [] }, deadlineMs);
  const listEntries = (request: Partial<accountpb.ListEntriesRequest>) =>
    call<accountpb.ListEntriesRequest, accountpb.ListEntriesResponse>(client.listEntries, accountpb.ListEntriesRequest.fromPartial(request));
  const listAccounts = (request: Partial<accountpb.ListAccountsRequest>) =>
    call<accountpb.ListAccountsRequest, accountpb.ListAccountsResponse>(client.listAccounts, accountpb.ListAccountsRequest.fromPartial(request));
  const getBalanceAt = (request: Partial<accountpb.GetBalanceAtRequest>, deadlineMs?: number) =>
    call<accountpb.GetBalanceAtRequest, accountpb.GetBalanceAtResponse>(client.getBalanceAt, accountpb.GetBalanceAtRequest.fromPartial(request), deadlineMs);

  const tokenAt = (accountId: string, sequence: number, incarnation = INCARNATION) =>
    encodePositionToken({ incarnation, sequences: new Map([[projection.partitionOf(accountId), sequence]]) });

  async function refusalOf(answer: Promise<unknown>): Promise<{ code: string | undefined; reason: string | undefined }> {
    try {
      await answer;
    } catch (error) {
      const { code } = error as ServiceError;
      return { code: status[code], reason: errorInfoOf(error as ServiceError)?.reason };
    }
    throw new Error('the call was not refused');
  }

  test('a query is refused while the rows that it reads are still being filled, and then answered', async () => {
    const copy = await store.current();
    const other = { partition: projection.partitionOf('alice'), projections: ['other@1'], committedAtUs: 1, writes: [] };
    // Another projection has a commit of this partition, as when an older version wrote the rows of an older format.
    await copy.apply({ ...other, previousSequence: 0, sequence: 1 });
    const filling = { code: 'UNAVAILABLE', reason: 'PROJECTION_FILLING' };
    expect(await refusalOf(getAccount('alice'))).toEqual(filling);
    expect(await refusalOf(getAccount('alice', tokenAt('alice', 1), 2_500))).toEqual(filling);
    expect(await refusalOf(listAccounts({}))).toEqual(filling);
    await projection.open('alice');
    expect((await getAccount('alice')).account?.accountId).toBe('alice');
    // From now on it is late, if it is behind: what it says is right, and it is asked with a token for more.
    await copy.apply({ ...other, previousSequence: 1, sequence: 2 });
    expect((await getAccount('alice')).account?.accountId).toBe('alice');
  });

  test('an account with everything that is known of it', async () => {
    const sequence = await projection.open('alice');
    const hold = projection.posting('alice', 'HOLD', 30n);
    await projection.turn('alice', [
      projection.posting('alice', 'CREDIT', 100n),
      hold,
      projection.posting('alice', 'DEBIT', 500n),
      projection.posting('alice', 'DEBIT', 20n),
    ]);
    const { account } = await getAccount('alice');
    expect(account).toEqual({
      accountId: 'alice',
      unit: 'EUR',
      branchId: 'north',
      product: 'basic',
      status: accountpb.AccountStatus.ACCOUNT_STATUS_OPEN,
      balanceMinor: 80n,
      heldMinor: 30n,
      availableMinor: 60n,
      limits: { overdraftMinor: 10n, maximumBalanceMinor: undefined, maximumPostingMinor: 1_000n, allowedTypes: [] },
      signingKeyId: 'key-1',
      version: 4n,
      entryCount: 3n,
      rejectionCount: 1n,
      openedAt: timestampFromUs(START_US + 1_000_000),
      balanceUpdatedAt: timestampFromUs(START_US + 2_000_000),
      lastDayBalanceMinor: 0n,
      lastDayDate: '',
      lastDayUpdatedAt: undefined,
      partition: projection.partitionOf('alice'),
      holds: [{ holdId: hold.kind === 'post' ? hold.posting.requestId : '', remainingMinor: 30n, expiresAtUs: 0n }],
      sequence: BigInt(sequence + 1),
      balanceDate: '',
      linkedAccountId: '',
    });
  });

  test('many accounts at once, and who is not there', async () => {
    await projection.open('alice');
    await projection.open('bob');
    const { accounts, notFound } = await call<accountpb.BatchGetAccountsRequest, accountpb.BatchGetAccountsResponse>(client.batchGetAccounts, {
      accountIds: ['bob', 'nobody', 'alice', 'bob'],
      positionToken: '',
      positionTokens: [],
    });
    expect(accounts.map(({ accountId }) => accountId)).toEqual(['bob', 'alice', 'bob']);
    expect(notFound).toEqual(['nobody']);
  });

  test('accounts by filter, page by page', async () => {
    for (let index = 0; index < 25; index += 1)
      await projection.open(`account-${String(index).padStart(2, '0')}`, index % 5 === 0 ? 'south' : 'north', index % 2 === 0 ? 'gold' : 'basic');
    await projection.turn('account-03', [{ kind: 'account', accountId: 'account-03', requestId: 'freeze', command: { kind: 'freeze', note: '' } }]);
    const pages: string[][] = [];
    let pageToken = '';
    do {
      const page = await listAccounts({ branchId: 'north', pageSize: 8, pageToken });
      pages.push(page.accounts.map(({ accountId }) => accountId));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(pages.map((page) => page.length)).toEqual([8, 8, 4]);
    expect(pages.flat()).toEqual([...pages.flat()].sort());
    expect((await listAccounts({ branchId: 'south', product: 'gold' })).accounts.map(({ accountId }) => accountId)).toEqual([
      'account-00',
      'account-10',
      'account-20',
    ]);
    expect((await listAccounts({ status: accountpb.AccountStatus.ACCOUNT_STATUS_FROZEN })).accounts.map(({ accountId }) => accountId)).toEqual(['account-03']);
    expect((await listAccounts({ unit: 'USD' })).accounts).toEqual([]);
  });

  describe('an account whose rows are of two moments, as a projector leaves them that dies in the middle of a write', () => {
    /** Writes some of the collections of the next turn; the checkpoint stays. Resolves with how to write the rest. */
    async function tear(first: readonly string[]): Promise<() => Promise<void>> {
      await projection.open('alice');
      await projection.turn('alice', [projection.posting('alice', 'CREDIT', 100n), projection.posting('alice', 'HOLD', 30n)]);
      const copy = await store.current();
      const checkpoint = (await copy.checkpoints()).find(({ partition }) => partition === projection.partitionOf('alice'));
      if (checkpoint === undefined) throw new Error('nothing is projected');
      const { partition, projection: id, sequence, committedAtUs } = checkpoint;
      const batches: ProjectedBatch[] = [];
      const recording = { ...methodsOf(copy), apply: async (batch: ProjectedBatch) => void batches.push(batch) };
      projection.history('alice').turn([projection.posting('alice', 'HOLD', 7n)], committedAtUs + 1);
      await projection.fill(recording);
      const write = (wanted: (collection: string) => boolean) =>
        copy.apply({
          partition,
          projections: [id],
          previousSequence: sequence,
          sequence,
          committedAtUs,
          writes: batches.flatMap(({ writes }) => writes).filter(({ collection }) => wanted(collection)),
        });
      await write((collection) => first.includes(collection));
      return () => write((collection) => !first.includes(collection));
    }

    test('is not answered: the caller is told to ask again', async () => {
      await tear(['account_holds']);
      expect(await refusalOf(getAccount('alice', '', Number.POSITIVE_INFINITY))).toEqual({ code: 'UNAVAILABLE', reason: 'READ_BEHIND' });
    });

    test('is answered whole when the write is repeated within the time of the call', async () => {
      const finish = await tear(['account_holds']);
      const answer = getAccount('alice');
      const reads = jest.spyOn(await store.current(), 'getMany');
      while (reads.mock.calls.length < 10) await new Promise((resolve) => setTimeout(resolve, 1));
      await finish();
      const { account } = await answer;
      expect(account?.heldMinor).toBe(37n);
      expect(account?.holds.map(({ remainingMinor }) => remainingMinor)).toEqual([30n, 7n]);
    });
  });

  test('half of a commit is not answered: accounts of one partition are of one moment, or the caller is told to ask again', async () => {
    const [debited, credited] = accountsOfOnePartition();
    for (const accountId of [debited, credited]) await projection.open(accountId);
    const copy = await store.current();
    const [{ sequence, committedAtUs }] = (await copy.checkpoints()).filter(({ partition }) => partition === projection.partitionOf(debited)) as [Checkpoint];
    projection.history(debited).turn([projection.posting(debited, 'DEBIT', 5n), projection.posting(credited, 'CREDIT', 5n)], committedAtUs + 1);
    const batches: ProjectedBatch[] = [];
    await projection.fill({ ...methodsOf(copy), apply: async (batch) => void batches.push(batch) });
    const [batch] = batches as [ProjectedBatch];
    const first = batch.writes.filter((write) => write.kind === 'put' && write.row.account_id === debited);
    await copy.apply({ ...batch, sequence: batch.previousSequence, committedAtUs, writes: first });
    expect(batch.previousSequence).toBe(sequence);

    const ask = (deadlineMs: number) =>
      call<accountpb.BatchGetAccountsRequest, accountpb.BatchGetAccountsResponse>(
        client.batchGetAccounts,
        accountpb.BatchGetAccountsRequest.fromPartial({ accountIds: [debited, credited] }),
        deadlineMs,
      );
    expect(await refusalOf(ask(2_500))).toEqual({ code: 'UNAVAILABLE', reason: 'READ_BEHIND' });
    const answer = ask(10_000);
    const reads = jest.spyOn(copy, 'getMany');
    while (reads.mock.calls.length < 6) await new Promise((resolve) => setTimeout(resolve, 1));
    await copy.apply(batch);
    expect((await answer).accounts.map(({ balanceMinor }) => balanceMinor)).toEqual([-5n, 5n]);
  });

  function accountsOfOnePartition(): [string, string] {
    const names = Array.from({ length: 10 }, (_, index) => `account-${index}`);
    const [first] = names as [string];
    const second = names.slice(1).find((name) => projection.partitionOf(name) === projection.partitionOf(first));
    if (second === undefined) throw new Error('no two names are of one partition');
    return [first, second];
  }

  test('rejection_count counts the refusals that a statement shows, and no refused change of the account', async () => {
    await projection.open('alice');
    const unfreeze: HistoryCommand = { kind: 'account', accountId: 'alice', requestId: 'unfreeze', command: { kind: 'unfreeze', note: '' } };
    await projection.turn('alice', [unfreeze, projection.posting('alice', 'DEBIT', 900n), projection.posting('alice', 'CREDIT', 1n)]);
    await projection.turn('alice', [{ ...unfreeze, requestId: 'unfreeze again' }]);
    const { account } = await getAccount('alice');
    const { entries } = await call<accountpb.ListEntriesRequest, accountpb.ListEntriesResponse>(
      client.listEntries,
      accountpb.ListEntriesRequest.fromPartial({ accountId: 'alice', includeRejections: true }),
    );
    const shown = entries.filter(({ rejection }) => rejection !== accountpb.Rejection.REJECTION_UNSPECIFIED);
    expect(shown).toHaveLength(1);
    expect(account?.rejectionCount).toBe(1n);
    expect(account?.entryCount).toBe(1n);
  });

  describe('a statement', () => {
    beforeEach(async () => {
      await projection.open('alice');
      for (let turn = 0; turn < 12; turn += 1) {
        // Every third turn has a refusal, every sixth nothing else.
        const refused = projection.posting('alice', 'DEBIT', 900n);
        const credits = [projection.posting('alice', 'CREDIT', BigInt(turn + 1)), projection.posting('alice', 'CREDIT', 1n)];
        await projection.turn(
          'alice',
          turn % 6 === 5 ? [refused] : turn % 3 === 0 ? [credits[0] as HistoryCommand, refused, credits[1] as HistoryCommand] : credits,
        );
      }
    });

    const shown = (entries: readonly accountpb.Entry[]) =>
      entries.map(({ requestId, entryNumber, balanceAfterMinor, rejection }) => ({ requestId, entryNumber, balanceAfterMinor, refused: rejection !== 0 }));
    const expected = (withRefusals: boolean) =>
      (projection.history('alice').records.get('alice') ?? [])
        .filter((record) => withRefusals || record.rejection === undefined)
        .map(({ requestId, entryNumber, balanceAfterMinor, rejection }) => ({
          requestId,
          entryNumber: BigInt(entryNumber),
          balanceAfterMinor,
          refused: rejection !== undefined,
        }));

    test.each([
      [accountpb.EntryOrder.ENTRY_ORDER_NEWEST_FIRST, false],
      [accountpb.EntryOrder.ENTRY_ORDER_NEWEST_FIRST, true],
      [accountpb.EntryOrder.ENTRY_ORDER_OLDEST_FIRST, false],
      [accountpb.EntryOrder.ENTRY_ORDER_OLDEST_FIRST, true],
    ])('in pages, order %s, with refusals: %s', async (order, includeRejections) => {
      const entries: accountpb.Entry[] = [];
      let pageToken = '';
      do {
        const page = await listEntries({ accountId: 'alice', order, includeRejections, pageSize: 5, pageToken });
        expect(page.entries.length).toBeLessThanOrEqual(5);
        entries.push(...page.entries);
        pageToken = page.nextPageToken;
      } while (pageToken !== '');
      const all = expected(includeRejections);
      expect(shown(entries)).toEqual(order === accountpb.EntryOrder.ENTRY_ORDER_OLDEST_FIRST ? all : all.reverse());
    });

    test('between two times', async () => {
      const timeOf = (sequence: number) => timestampFromUs(START_US + sequence * 1_000_000);
      const { entries, nextPageToken } = await listEntries({
        accountId: 'alice',
        fromTime: timeOf(4),
        toTime: timeOf(6),
        order: accountpb.EntryOrder.ENTRY_ORDER_OLDEST_FIRST,
      });
      const own = (projection.history('alice').records.get('alice') ?? []).filter(
        ({ committedAtUs, rejection }) => committedAtUs >= START_US + 4_000_000 && committedAtUs < START_US + 6_000_000 && rejection === undefined,
      );
      expect(entries.map(({ requestId }) => requestId)).toEqual(own.map(({ requestId }) => requestId));
      expect(entries.length).toBe(4);
      expect(nextPageToken).toBe('');
      expect((await listEntries({ accountId: 'alice', fromTime: timeOf(6), toTime: timeOf(4) })).entries).toEqual([]);
      expect((await listEntries({ accountId: 'alice', fromTime: timeOf(1_000) })).entries).toEqual([]);
    });

    test('a page token is good for its listing only', async () => {
      const { nextPageToken } = await listEntries({ accountId: 'alice', pageSize: 3 });
      const refused = { code: 'INVALID_ARGUMENT', reason: 'PAGE_TOKEN_INVALID' };
      expect(await refusalOf(listEntries({ accountId: 'alice', includeRejections: true, pageToken: nextPageToken }))).toEqual(refused);
      expect(await refusalOf(listEntries({ accountId: 'alice', pageToken: `${nextPageToken}AA` }))).toEqual(refused);
      expect(await refusalOf(listEntries({ accountId: 'alice', pageToken: 'nonsense' }))).toEqual(refused);
    });
  });

  test('the balance at past moments', async () => {
    const opened = await projection.open('alice');
    const first = await projection.turn('alice', [projection.posting('alice', 'CREDIT', 100n)]);
    const refusedOnly = await projection.turn('alice', [projection.posting('alice', 'DEBIT', 900n)]);
    await projection.turn('alice', [projection.posting('alice', 'DEBIT', 40n), projection.posting('alice', 'HOLD', 5n)]);
    const time = (seconds: number) => ({ $case: 'time' as const, value: timestampFromUs(START_US + seconds * 1_000_000) });
    const sequence = (value: number) => ({ $case: 'sequence' as const, value: BigInt(value) });
    expect(await refusalOf(getBalanceAt({ accountId: 'alice', moment: time(0) }))).toEqual({ code: 'NOT_FOUND', reason: 'ACCOUNT_NOT_OPEN_THEN' });
    expect(await getBalanceAt({ accountId: 'alice', moment: time(1) })).toMatchObject({ balanceMinor: 0n, entryNumber: 0n, sequence: BigInt(opened) });
    expect(await getBalanceAt({ accountId: 'alice', moment: time(2) })).toMatchObject({
      balanceMinor: 100n,
      entryNumber: 1n,
      sequence: BigInt(first),
      unit: 'EUR',
    });
    expect(await getBalanceAt({ accountId: 'alice', moment: time(3.5) })).toMatchObject({
      balanceMinor: 100n,
      entryNumber: 1n,
      sequence: BigInt(first),
      committedAt: timestampFromUs(START_US + 2_000_000),
    });
    expect(await getBalanceAt({ accountId: 'alice', moment: sequence(refusedOnly) })).toMatchObject({ balanceMinor: 100n, sequence: BigInt(first) });
    expect(await getBalanceAt({ accountId: 'alice', moment: time(1_000) })).toMatchObject({ balanceMinor: 60n, heldMinor: 5n, entryNumber: 3n });
    // The wait ends before the caller's deadline, and says what is awaited.
    const late = getBalanceAt({ accountId: 'alice', moment: sequence(1_000) }, 2_000);
    expect(await refusalOf(late)).toEqual({ code: 'UNAVAILABLE', reason: 'READ_BEHIND' });
    expect(((await late.catch((error: ServiceError) => error)) as ServiceError).details).toMatch(
      /^the read store has partition \d up to sequence \d+; the call asks for 1000, and its time is over$/,
    );
    for (const beyond of [0n, -1n, 1n << 53n]) {
      expect(await refusalOf(getBalanceAt({ accountId: 'alice', moment: { $case: 'sequence', value: beyond } }))).toEqual({
        code: 'INVALID_ARGUMENT',
        reason: 'INVALID_REQUEST',
      });
    }
  });

  test('several position tokens: the answer covers them all, and one token that stands for them comes back', async () => {
    const opened = await projection.open('alice');
    const elsewhere = await projection.open('bob');
    const tokens = [tokenAt('alice', opened + 1), tokenAt('bob', elsewhere)];
    const request = { accountIds: ['alice', 'bob'], positionToken: '', positionTokens: tokens };
    const waiting = call<accountpb.BatchGetAccountsRequest, accountpb.BatchGetAccountsResponse>(client.batchGetAccounts, request);
    await projection.turn('alice', [projection.posting('alice', 'CREDIT', 7n)]);
    const { accounts, positionToken } = await waiting;
    expect(accounts.map(({ balanceMinor }) => balanceMinor)).toEqual([7n, 0n]);
    expect(positionToken).toBe(mergePositionTokens(tokens[0] as string, tokens[1] as string));
    const merged = { ...request, positionToken, positionTokens: [] };
    expect((await call<accountpb.BatchGetAccountsRequest, accountpb.BatchGetAccountsResponse>(client.batchGetAccounts, merged)).positionToken).toBe(
      positionToken,
    );
    const ofTwoLogs = { ...request, positionToken: tokenAt('alice', 1, 'cd'.repeat(16)) };
    expect(await refusalOf(call(client.batchGetAccounts, ofTwoLogs))).toEqual({ code: 'INVALID_ARGUMENT', reason: 'TOKEN_INVALID' });
    const many = { ...request, positionTokens: Array.from({ length: 65 }, () => tokens[0] as string) };
    expect(await refusalOf(call(client.batchGetAccounts, many))).toEqual({ code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST' });
  });

  test('a position token: waits for what it names, refuses what it cannot have', async () => {
    const opened = await projection.open('alice');
    const waiting = getAccount('alice', tokenAt('alice', opened + 1));
    await projection.turn('alice', [projection.posting('alice', 'CREDIT', 7n)]);
    expect((await waiting).account?.balanceMinor).toBe(7n);
    expect(await refusalOf(getAccount('alice', tokenAt('alice', opened + 9), 2_500))).toEqual({ code: 'UNAVAILABLE', reason: 'READ_BEHIND' });
    expect(await refusalOf(getAccount('alice', tokenAt('alice', 1, 'cd'.repeat(16))))).toEqual({ code: 'FAILED_PRECONDITION', reason: 'TOKEN_OF_OTHER_LOG' });
    expect(await refusalOf(getAccount('alice', 'made-up'))).toEqual({ code: 'INVALID_ARGUMENT', reason: 'TOKEN_INVALID' });
  });

  test('a watch shows the account now and after changes, over the switch to another copy', async () => {
    await projection.open('alice');
    const watch: ClientReadableStream<accountpb.WatchAccountResponse> = client.watchAccount({ accountId: 'alice', positionToken: '', positionTokens: [] });
    const balances = watch[Symbol.asyncIterator]() as AsyncIterator<accountpb.WatchAccountResponse>;
    const next = async () => ((await balances.next()).value as accountpb.WatchAccountResponse).account?.balanceMinor;
    expect(await next()).toBe(0n);
    await projection.turn('alice', [projection.posting('alice', 'CREDIT', 5n)]);
    expect(await next()).toBe(5n);
    const copy = await store.beginCopy({ incarnation: INCARNATION, partitions: PARTITIONS });
    await projection.fill(copy);
    await store.activate(await store.beginSwitch(copy));
    await projection.turn('alice', [projection.posting('alice', 'CREDIT', 6n)]);
    expect(await next()).toBe(11n);
    // Many fast changes are drawn together; the newest one comes for sure.
    for (let turn = 0; turn < 20; turn += 1) await projection.turn('alice', [projection.posting('alice', 'CREDIT', 1n)]);
    let balance = await next();
    let shown = 1;
    for (; balance !== 31n; shown += 1) balance = await next();
    expect(shown).toBeLessThan(20);
    watch.on('error', () => undefined);
    watch.cancel();
  });

  test.each([
    ['an empty id', () => getAccount(''), 'INVALID_ARGUMENT', 'INVALID_REQUEST'],
    ['an id of 129 bytes', () => getAccount('x'.repeat(129)), 'INVALID_ARGUMENT', 'INVALID_REQUEST'],
    ['an unknown account', () => getAccount('nobody'), 'NOT_FOUND', 'ACCOUNT_NOT_FOUND'],
    ['the statement of an unknown account', () => listEntries({ accountId: 'nobody' }), 'NOT_FOUND', 'ACCOUNT_NOT_FOUND'],
    ['a page of 1,001', () => listEntries({ accountId: 'a', pageSize: 1_001 }), 'INVALID_ARGUMENT', 'INVALID_REQUEST'],
    ['a negative page', () => listAccounts({ pageSize: -1 }), 'INVALID_ARGUMENT', 'INVALID_REQUEST'],
    ['an unknown status', () => listAccounts({ status: 99 as accountpb.AccountStatus }), 'INVALID_ARGUMENT', 'INVALID_REQUEST'],
    ['an unknown order', () => listEntries({ accountId: 'a', order: 9 as accountpb.EntryOrder }), 'INVALID_ARGUMENT', 'INVALID_REQUEST'],
    ['a time that is none', () => listEntries({ accountId: 'a', fromTime: { seconds: 1n, nanos: -1 } }), 'INVALID_ARGUMENT', 'INVALID_REQUEST'],
    ['a balance at no moment', () => getBalanceAt({ accountId: 'a' }), 'INVALID_ARGUMENT', 'INVALID_REQUEST'],
  ])('%s is refused with its reason', async (_what, ask, code, reason) => {
    await store.current();
    expect(await refusalOf(ask())).toEqual({ code, reason });
  });
});

test('is ready when there is a read store', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-query-'));
  const file = join(folder, 'read.db');
  const reader = await SqliteReadStore.open({ file, collections: READ_COLLECTIONS, readOnly: true });
  const query = await startQuery({ readStore: reader });
  let ready = false;
  const waiting = query.ready.then(() => {
    ready = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(ready).toBe(false);
  const writer = await SqliteReadStore.open({ file, collections: READ_COLLECTIONS, identity: { incarnation: INCARNATION, partitions: PARTITIONS } });
  await writer.current();
  await waiting;
  await query.stop();
  await reader.close();
  await writer.close();
  await rm(folder, { recursive: true, force: true });
});
