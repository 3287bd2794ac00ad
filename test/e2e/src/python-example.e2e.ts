/** The example for clients in Python, run as it stands in examples/python: by the server's reflection alone. */
import { accountpb } from '@sluice/protocol/account';
import { type RunningServer, type ServiceRegistration, startServer, unary } from '@sluice/service';
import { PREPARING_LIMIT_MS, PYTHON, preparePython, pythonExample, run, wherePythonIs } from './harness/python';
import { dataFolder, Server } from './harness/server';

const EXAMPLE = pythonExample('post_batch.py');
/** A command service of which every item finds its partition between two owners, once. */
function unsettledService(): ServiceRegistration {
  const seen = new Set<string>();
  const refused = { code: 14, reason: 'PARTITION_UNAVAILABLE', message: 'the partition changes its owner' };
  const result = ({ requestId }: accountpb.Posting): accountpb.PostingResult =>
    accountpb.PostingResult.fromPartial(seen.has(requestId) ? { balanceAfterMinor: 1n, repeated: true } : { error: refused });
  const definition = accountpb.AccountCommandServiceService;
  const none = unary(() => Promise.reject(new Error('the example does not call it')));
  return {
    name: 'sluice.account.v1.AccountCommandService',
    definition,
    implementation: {
      ...Object.fromEntries(Object.keys(definition).map((method) => [method, none])),
      openAccounts: unary(async () => accountpb.OpenAccountsResponse.fromPartial({})),
      postBatch: unary(async ({ postings }: accountpb.PostBatchRequest) => {
        const results = postings.map(result);
        for (const { requestId } of postings) seen.add(requestId);
        return accountpb.PostBatchResponse.fromPartial({ results });
      }),
    },
  };
}

let stop: () => Promise<void>;

beforeAll(preparePython, PREPARING_LIMIT_MS);

afterEach(() => stop());

wherePythonIs('it posts, and finds its postings again', async () => {
  const folder = dataFolder();
  const server = await Server.start(folder.path);
  stop = async () => {
    await server.end('SIGKILL');
    folder.remove();
  };
  const { stdout } = await run(PYTHON, [EXAMPLE, server.address]);
  expect(stdout).toBe('accepted 200 of 200; balances [25, 25, 25, 25, 25, 25, 25, 25]\nrepeated 200 of 200\n');
});

wherePythonIs('an item that is unavailable inside an answered batch is sent again by itself', async () => {
  const server: RunningServer = await startServer({ host: '127.0.0.1', port: 0 }, [unsettledService()]);
  server.setServing(true);
  stop = () => server.stop(0);
  const { stdout } = await run(PYTHON, [EXAMPLE, server.address]);
  expect(stdout).toContain('accepted 200 of 200;');
});
