/** Several instances share the partitions: whichever one is asked, the owner decides, and the answers are the same. */
import { credentials, type ServiceError } from '@grpc/grpc-js';
import { InProcessBus, MemoryEventLog, MemoryKeyring, MemoryLease, MemoryLogStorage, MemorySnapshotStore } from '@sluice/memory';
import { systemClock } from '@sluice/ports';
import { accountpb } from '@sluice/protocol';
import { errorInfoOf, startServer, type RunningServer } from '@sluice/service';
import { startCommand, type CommandRuntime } from './command';
import { posting, verdictOf } from './test/command-under-test';

const PARTITIONS = 4;
const ACCOUNTS = Array.from({ length: 24 }, (_, at) => `account ${at}`);

interface Instance {
  readonly command: CommandRuntime;
  readonly server: RunningServer;
  readonly client: accountpb.AccountCommandServiceClient;
}

const storage = new MemoryLogStorage({ partitions: PARTITIONS });
const shared = { lease: new MemoryLease(), snapshots: new MemorySnapshotStore(), keys: new Map<string, Uint8Array>() };
const instances: Instance[] = [];

/** An instance has to be reached before it says where; so the port is taken first, by a server without services. */
async function freePort(): Promise<number> {
  const server = await startServer({ host: '127.0.0.1', port: 0 }, []);
  await server.stop(0);
  return server.port;
}

async function startInstance(name: string): Promise<Instance> {
  const port = await freePort();
  const command = await startCommand({
    log: new MemoryEventLog(storage),
    snapshots: shared.snapshots,
    bus: new InProcessBus(),
    keyring: new MemoryKeyring(shared.keys),
    clock: systemClock,
    instanceId: name,
    sharing: { lease: shared.lease, address: `127.0.0.1:${port}`, ttlMs: 3_000 },
  });
  const server = await startServer({ host: '127.0.0.1', port }, command.registrations);
  const client = new accountpb.AccountCommandServiceClient(server.address, credentials.createInsecure());
  const instance = { command, server, client };
  instances.push(instance);
  return instance;
}

function batch({ client }: Instance, postings: readonly Partial<accountpb.Posting>[], atomic = false): Promise<accountpb.PostBatchResponse> {
  return answered((done) => client.postBatch(accountpb.PostBatchRequest.fromPartial({ postings: [...postings], atomic }), done));
}

function answered<Response>(call: (done: (error: ServiceError | null, response: Response) => void) => unknown): Promise<Response> {
  return new Promise((resolve, reject) => call((error, response) => (error === null ? resolve(response) : reject(error))));
}

let one: Instance;
let two: Instance;

beforeAll(async () => {
  one = await startInstance('one');
  two = await startInstance('two');
  while (one.command.engine.owned.length !== 2 || two.command.engine.owned.length !== 2) await new Promise((resolve) => setTimeout(resolve, 20));
  const openings = ACCOUNTS.map((accountId) => ({ requestId: 'open', accountId, unit: 'EUR' }));
  let opened: accountpb.OpenAccountsResponse | undefined;
  while (opened?.results.some(({ result }) => result === undefined) !== false) {
    opened = await answered<accountpb.OpenAccountsResponse>((done) =>
      one.client.openAccounts(accountpb.OpenAccountsRequest.fromPartial({ accounts: openings }), done),
    );
  }
}, 20_000);

afterAll(async () => {
  for (const { client } of instances) client.close();
  await Promise.all(instances.map(({ server }) => server.stop(0)));
  await Promise.all(instances.map(({ command }) => command.stop()));
});

test('every instance answers for every partition, and a repeat through another one is a repeat', async () => {
  const items = ACCOUNTS.flatMap((accountId) => [
    posting('CREDIT', 'c', 5n, { accountId }),
    posting('DEBIT', 'd', 7n, { accountId }),
    posting('CREDIT', '', 1n, { accountId }),
  ]);
  const first = await batch(one, items);
  expect(first.results.map((result) => [verdictOf(result), result.balanceAfterMinor])).toEqual(
    ACCOUNTS.flatMap(() => [
      ['accepted', 5n],
      ['INSUFFICIENT_FUNDS', 5n],
      ['INVALID_REQUEST', 0n],
    ]),
  );
  const again = await batch(two, items);
  expect(again.results.map(verdictOf)).toEqual(ACCOUNTS.flatMap(() => ['accepted again', 'INSUFFICIENT_FUNDS again', 'INVALID_REQUEST']));
  expect(again.results.map(({ balanceAfterMinor, entryNumber }) => [balanceAfterMinor, entryNumber])).toEqual(
    first.results.map(({ balanceAfterMinor, entryNumber }) => [balanceAfterMinor, entryNumber]),
  );
});

test('an atomic batch that is sent on is refused whole when one item has a wrong shape', async () => {
  for (const accountId of ACCOUNTS) {
    for (const instance of [one, two]) {
      const refused = await batch(instance, [posting('CREDIT', 'atomic', 1n, { accountId }), posting('CREDIT', 'bad', 1n, { accountId, unit: '' })], true);
      expect(refused.results.map(verdictOf)).toEqual(['BATCH_ABORTED', 'INVALID_REQUEST']);
    }
    const done = await batch(one, [posting('CREDIT', 'atomic', 1n, { accountId }), posting('DEBIT', 'atomic too', 2n, { accountId })], true);
    expect(done.results.map((result) => [verdictOf(result), result.balanceAfterMinor])).toEqual([
      ['accepted', 6n],
      ['accepted', 4n],
    ]);
  }
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
  await two.server.stop(0);
  await two.command.stop();
  while (one.command.engine.owned.length !== PARTITIONS) await new Promise((resolve) => setTimeout(resolve, 20));
  const again = await batch(
    one,
    ACCOUNTS.map((accountId) => posting('CREDIT', 'c', 5n, { accountId })),
  );
  expect(again.results.map((result) => [verdictOf(result), result.balanceAfterMinor])).toEqual(ACCOUNTS.map(() => ['accepted again', 5n]));
  const more = await batch(
    one,
    ACCOUNTS.map((accountId) => posting('CREDIT', 'more', 1n, { accountId })),
  );
  expect(more.results.map(({ balanceAfterMinor }) => balanceAfterMinor)).toEqual(ACCOUNTS.map(() => 5n));
});
