/** Reads of transfers over gRPC, from rows as the projection writes them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { MemoryReadStore } from '@sluice/memory';
import { encodePosition, type ReadStore, type RowWrite } from '@sluice/ports';
import { projectionId, PROJECTIONS, READ_COLLECTIONS } from '@sluice/projections';
import { groupRow, TRANSFER_KEYS, TRANSFERS, transferId, type TransferGroup, type TransferRecord } from '@sluice/projections/account';
import { timestampFromUs } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { errorInfoOf, type RunningServer, startServer } from '@sluice/service';
import { SqliteReadStore } from '@sluice/store-sqlite';
import { encodePageToken } from '../page-token';
import { type QueryRuntime, startQuery } from '../query';
import { type Unary, unary } from '../test/calls';

const { TRANSFER_STATE_PENDING: PENDING, TRANSFER_STATE_REFUNDED: REFUNDED, TRANSFER_STATE_SETTLED: SETTLED } = accountpb.TransferState;
const CREATED_US = 1_767_225_600_000_000;

/** From alice to bob or carol, three commits a millisecond; every fifth is pending, every seventh refunded. */
const RECORDS = Array.from({ length: 25 }, (_, at): TransferRecord => {
  const requestId = `t${String(at).padStart(2, '0')}`;
  const state = at % 5 === 0 ? 'PENDING' : at % 7 === 0 ? 'REFUNDED' : 'SETTLED';
  const commit = Math.floor(at / 8);
  return {
    requestId,
    fromAccountId: 'alice',
    toAccountId: commit % 2 === 0 ? 'bob' : 'carol',
    unit: 'EUR',
    amountMinor: BigInt(at + 1),
    state,
    rejection: state === 'REFUNDED' ? accountpb.Rejection.REJECTION_TARGET_REFUSED : 0,
    targetReason: state === 'REFUNDED' ? 'ROUND_CLOSED' : '',
    createdAtUs: CREATED_US + commit * 1_000,
    settledAtUs: state === 'PENDING' ? 0 : CREATED_US + commit * 1_000 + 500,
    partition: 1,
    sequence: at + 1,
  };
});

/** The rows of each eight of them, as the projection makes them. */
function writesOf(records: readonly TransferRecord[]): RowWrite[] {
  const [first] = records;
  if (first === undefined) return [];
  const ofRow = records.slice(0, 8);
  const group: TransferGroup = { ...first, transfers: ofRow, sequence: 25 };
  const id = (record: TransferRecord): string => transferId(record.fromAccountId, record.requestId);
  return [
    { kind: 'put', collection: TRANSFERS.name, row: groupRow(group) },
    ...ofRow
      .slice(1)
      .map((record): RowWrite => ({ kind: 'put', collection: TRANSFER_KEYS.name, row: { transfer_id: id(record), group_id: id(first), sequence: 25 } })),
    ...writesOf(records.slice(8)),
  ];
}

describe.each(['memory', 'SQLite'])('transfers on %s', (kind) => {
  let store: ReadStore;
  let query: QueryRuntime;
  let server: RunningServer;
  let client: accountpb.AccountQueryServiceClient;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-transfers-'));
    const identity = { incarnation: 'ab'.repeat(16), partitions: 2 };
    store =
      kind === 'memory'
        ? new MemoryReadStore({ collections: READ_COLLECTIONS, identity })
        : await SqliteReadStore.open({ file: join(folder, 'read.db'), collections: READ_COLLECTIONS, identity });
    const writes = writesOf(RECORDS);
    const projections = PROJECTIONS.map(projectionId);
    await (await store.current()).apply({ partition: 1, projections, previousSequence: 0, sequence: 25, committedAtUs: CREATED_US, writes });
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
  const get = (request: Partial<accountpb.GetTransferRequest>) =>
    call<accountpb.GetTransferRequest, accountpb.GetTransferResponse>(client.getTransfer, accountpb.GetTransferRequest.fromPartial(request));
  const list = (request: Partial<accountpb.ListTransfersRequest>) =>
    call<accountpb.ListTransfersRequest, accountpb.ListTransfersResponse>(client.listTransfers, accountpb.ListTransfersRequest.fromPartial(request));
  const refusalOf = (answer: Promise<unknown>) =>
    answer.then(
      () => 'answered',
      (error: ServiceError) => `${status[error.code]} ${errorInfoOf(error)?.reason}`,
    );
  const idsWhere = (fits: (row: TransferRecord) => boolean): string[] =>
    RECORDS.filter(fits)
      .map(({ requestId }) => requestId)
      .reverse();

  test('one transfer by its id', async () => {
    expect((await get({ fromAccountId: 'alice', requestId: 't07' })).transfer).toEqual({
      requestId: 't07',
      fromAccountId: 'alice',
      toAccountId: 'bob',
      amountMinor: 8n,
      unit: 'EUR',
      state: REFUNDED,
      rejection: accountpb.Rejection.REJECTION_TARGET_REFUSED,
      targetReason: 'ROUND_CLOSED',
      createdAt: timestampFromUs(CREATED_US),
      settledAt: timestampFromUs(CREATED_US + 500),
      partition: 1,
      sequence: 8n,
    });
    expect((await get({ fromAccountId: 'alice', requestId: 't05' })).transfer).toMatchObject({ state: PENDING, settledAt: undefined });
  });

  test.each`
    request                                             | fits
    ${{ fromAccountId: 'alice' }}                       | ${() => true}
    ${{ toAccountId: 'bob' }}                           | ${({ toAccountId }: TransferRecord) => toAccountId === 'bob'}
    ${{ state: PENDING }}                               | ${({ state }: TransferRecord) => state === 'PENDING'}
    ${{ state: REFUNDED }}                              | ${({ state }: TransferRecord) => state === 'REFUNDED'}
    ${{ state: SETTLED }}                               | ${({ state }: TransferRecord) => state === 'SETTLED'}
    ${{ fromAccountId: 'alice', toAccountId: 'carol' }} | ${({ toAccountId }: TransferRecord) => toAccountId === 'carol'}
    ${{ toAccountId: 'bob', state: SETTLED }}           | ${({ toAccountId, state }: TransferRecord) => toAccountId === 'bob' && state === 'SETTLED'}
    ${{ fromAccountId: 'bob' }}                         | ${() => false}
  `('a listing by $request, newest first, page by page', async ({ request, fits }: { request: object; fits: (row: TransferRecord) => boolean }) => {
    const found: string[] = [];
    let pageToken = '';
    do {
      const page = await list({ ...request, pageSize: 4, pageToken });
      expect(page.transfers.length).toBeLessThanOrEqual(4);
      found.push(...page.transfers.map(({ requestId }) => requestId));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(found).toEqual(idsWhere(fits));
  });

  test('what cannot be answered is refused', async () => {
    expect(await refusalOf(get({ fromAccountId: 'alice', requestId: 't99' }))).toBe('NOT_FOUND TRANSFER_NOT_FOUND');
    expect(await refusalOf(get({ fromAccountId: '', requestId: 't01' }))).toBe('INVALID_ARGUMENT INVALID_REQUEST');
    expect(await refusalOf(get({ fromAccountId: 'alice', requestId: '' }))).toBe('INVALID_ARGUMENT INVALID_REQUEST');
    expect(await refusalOf(list({}))).toBe('INVALID_ARGUMENT INVALID_REQUEST');
    expect(await refusalOf(list({ state: 9 as accountpb.TransferState }))).toBe('INVALID_ARGUMENT INVALID_REQUEST');
    expect(await refusalOf(list({ toAccountId: 'x'.repeat(129) }))).toBe('INVALID_ARGUMENT INVALID_REQUEST');
    const { nextPageToken } = await list({ fromAccountId: 'alice', pageSize: 4 });
    expect(await refusalOf(list({ toAccountId: 'bob', pageSize: 4, pageToken: nextPageToken }))).toBe('INVALID_ARGUMENT PAGE_TOKEN_INVALID');
  });

  test.each([-1, 0.5, 'x'])('a page token that a caller made, for the transfer %j of a row, is refused', async (seen) => {
    const place = encodePosition([CREATED_US, transferId('alice', 't00'), seen]);
    const pageToken = encodePageToken(['transfers', { fromAccountId: 'alice' }], place);
    expect(await refusalOf(list({ fromAccountId: 'alice', pageToken }))).toBe('INVALID_ARGUMENT PAGE_TOKEN_INVALID');
  });
});
