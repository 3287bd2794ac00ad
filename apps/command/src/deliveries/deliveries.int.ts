/** Deliveries between instances over real connections, and on the SQLite log; transfers between accounts owe them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { InProcessBus, MemoryKeyring, MemorySnapshotStore } from '@sluice/memory';
import { systemClock } from '@sluice/ports';
import { logpb } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { functionOf, type CallContext } from '@sluice/service';
import { SqliteEventLog } from '@sluice/store-sqlite';
import { startCommand, type CommandRuntime } from '../command';
import { posting } from '../test/command-under-test';
import { answered, look, SharingInstances, type SharingInstance } from '../test/sharing-instances';

const PARTITIONS = 4;
const ACCOUNTS = Array.from({ length: 12 }, (_, at) => `account ${at}`);
const FUNDS = 100n;
const ROUNDS = 5;

/** From each account to the next one, so that every balance ends as it began. */
function ring(round: number): accountpb.TransferBatchRequest {
  const transfers = ACCOUNTS.map((fromAccountId, at) => ({
    requestId: `ring-${round}`,
    fromAccountId,
    toAccountId: ACCOUNTS[(at + 1) % ACCOUNTS.length] as string,
    amountMinor: BigInt(round + 1),
    unit: 'EUR',
  }));
  return accountpb.TransferBatchRequest.fromPartial({ transfers });
}

const unfinished = (runtimes: readonly CommandRuntime[]): number =>
  runtimes
    .flatMap(({ engine }) => engine.owned.map((partition) => engine.partition(partition)?.deliveries.counts.unfinished ?? 0))
    .reduce((sum, count) => sum + count, 0);

async function untilFinished(runtimes: readonly CommandRuntime[]): Promise<void> {
  const servesAll = (): boolean => runtimes.flatMap(({ engine }) => engine.owned).length === PARTITIONS;
  while (!servesAll() || unfinished(runtimes) > 0) await look();
}

describe('two instances over connections', () => {
  const instances = new SharingInstances({ partitions: PARTITIONS });
  let one: SharingInstance;
  let two: SharingInstance;

  beforeAll(async () => {
    one = await instances.start('one');
    two = await instances.start('two');
    await instances.untilShared();
    await one.open(ACCOUNTS);
    await one.batch(ACCOUNTS.map((accountId) => posting('CREDIT', 'funds', FUNDS, { accountId })));
  });

  afterAll(() => instances.stop());

  async function transfer(round: number): Promise<void> {
    const { acceptedCount } = await answered<accountpb.TransferBatchResponse>((done) => one.client.transferBatch(ring(round), done));
    expect(acceptedCount).toBe(ACCOUNTS.length);
  }

  async function balances(requestId: string): Promise<bigint[]> {
    const { results } = await one.batch(ACCOUNTS.map((accountId) => posting('CREDIT', requestId, 1n, { accountId })));
    return results.map(({ balanceAfterMinor }) => balanceAfterMinor);
  }

  test('every transfer reaches its target once', async () => {
    for (let round = 0; round < ROUNDS; round += 1) await transfer(round);
    await untilFinished([one.command, two.command]);
    expect(await balances('after')).toEqual(ACCOUNTS.map(() => FUNDS + 1n));
  });

  test('what is owed when an instance stops is delivered by the next owner of its partitions', async () => {
    for (let round = ROUNDS; round < 2 * ROUNDS; round += 1) await transfer(round);
    await two.stop();
    await untilFinished([one.command]);
    expect(await balances('after the stop')).toEqual(ACCOUNTS.map(() => FUNDS + 2n));
  });

  test('a caller cannot deliver', async () => {
    const client = new logpb.DeliveryServiceClient(one.server.address, credentials.createInsecure());
    await expect(answered((done) => client.deliver({ partition: 0, batch: Buffer.alloc(0) }, done))).rejects.toMatchObject({
      details: 'only instances of this deployment may call this method',
    });
    client.close();
  });
});

describe('on the SQLite log', () => {
  const folder = mkdtempSync(join(tmpdir(), 'deliveries-'));
  const keys = new Map<string, Uint8Array>();
  const CALL = { ended: false, forwarded: false, deadlineMs: Number.POSITIVE_INFINITY } as CallContext;

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function start(): Promise<{ command: CommandRuntime; stop: () => Promise<void> }> {
    const log = await SqliteEventLog.open({ file: join(folder, 'log.db'), partitions: PARTITIONS });
    const command = await startCommand({
      log,
      snapshots: new MemorySnapshotStore(),
      bus: new InProcessBus(),
      keyring: new MemoryKeyring(keys),
      clock: systemClock,
      instanceId: 'one',
      pool: 'off',
    });
    const stop = async (): Promise<void> => {
      await command.stop();
      await log.close();
    };
    return { command, stop };
  }

  /** As a server calls it: over encoded messages. */
  async function call<Response>(
    { registrations }: CommandRuntime,
    method: 'openAccounts' | 'postBatch' | 'transferBatch',
    request: Uint8Array,
  ): Promise<Response> {
    const [registration] = registrations;
    const definition = registration?.definition[method];
    const carried = functionOf(registration?.implementation[method] as object);
    if (definition === undefined || carried === undefined) throw new Error(`there is no ${method}`);
    const run = carried.run as unknown as (request: unknown, call: CallContext) => Promise<unknown>;
    const response = await run(definition.requestDeserialize(Buffer.from(request)), CALL);
    return accountpb.AccountCommandServiceService[method].responseDeserialize(definition.responseSerialize(response)) as Response;
  }

  test('transfers between partitions are settled, whatever was under way at a restart', async () => {
    const first = await start();
    const accounts = ACCOUNTS.map((accountId) => ({ requestId: 'open', accountId, unit: 'EUR' }));
    await call(first.command, 'openAccounts', accountpb.OpenAccountsRequest.encode(accountpb.OpenAccountsRequest.fromPartial({ accounts })).finish());
    await call(first.command, 'postBatch', batchOf('funds', FUNDS));
    for (let round = 0; round < ROUNDS; round += 1) await call(first.command, 'transferBatch', accountpb.TransferBatchRequest.encode(ring(round)).finish());
    await first.stop();
    const second = await start();
    await untilFinished([second.command]);
    const { results } = await call<accountpb.PostBatchResponse>(second.command, 'postBatch', batchOf('after', 1n));
    expect(results.map(({ balanceAfterMinor }) => balanceAfterMinor)).toEqual(ACCOUNTS.map(() => FUNDS + 1n));
    await second.stop();
  });
});

function batchOf(requestId: string, amount: bigint): Uint8Array {
  const postings = ACCOUNTS.map((accountId) => posting('CREDIT', requestId, amount, { accountId }));
  return accountpb.PostBatchRequest.encode(accountpb.PostBatchRequest.fromPartial({ postings })).finish();
}
