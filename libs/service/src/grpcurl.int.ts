/**
 * The real grpcurl against a server of ours, without proto files: what an operator does first. Where grpcurl is not
 * installed it is fetched once with Go; where neither is there the tests are skipped loudly, and fail with CI=true.
 */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { schedulerpb } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { unary } from './handlers';
import { type RunningServer, startServer } from './server';
import { refusal } from './sluice-error';

const CACHE = join(__dirname, '..', '..', '..', 'node_modules', '.cache', 'sluice', 'bin');
const PACKAGE = 'github.com/fullstorydev/grpcurl/cmd/grpcurl@latest';
const INSTALL_TIMEOUT_MS = 240_000;

function runs(binary: string): boolean {
  return spawnSync(binary, ['-version'], { stdio: 'ignore' }).status === 0;
}

function findGrpcurl(): string | undefined {
  if (runs('grpcurl')) return 'grpcurl';
  const goPath = spawnSync('go', ['env', 'GOPATH'], { encoding: 'utf8' }).stdout?.trim();
  const places = [join(CACHE, 'grpcurl'), ...(goPath ? [join(goPath, 'bin', 'grpcurl')] : [])];
  const found = places.find((place) => existsSync(place) && runs(place));
  if (found !== undefined || !goPath) return found;
  mkdirSync(CACHE, { recursive: true });
  spawnSync('go', ['install', PACKAGE], { env: { ...process.env, GOBIN: CACHE }, stdio: 'ignore', timeout: INSTALL_TIMEOUT_MS });
  return places.find((place) => existsSync(place) && runs(place));
}

const grpcurl = findGrpcurl();
if (grpcurl === undefined)
  process.stderr.write('SKIPPED: grpcurl is not installed and could not be fetched with Go; server reflection is not tested against it\n');
const whereThere = grpcurl !== undefined || process.env.CI === 'true' ? test : test.skip;

let server: RunningServer;

beforeAll(async () => {
  server = await startServer({ host: '127.0.0.1', port: 0 }, [
    {
      name: 'sluice.scheduler.v1.SchedulerService',
      definition: { getStatus: schedulerpb.SchedulerServiceService.getStatus },
      implementation: {
        getStatus: unary(async () => ({
          startedAt: { seconds: 1_795_363_200n, nanos: 123_456_000 },
          instanceId: 'one',
          active: true,
          waitingTimers: 9_007_199_254_740_993n,
          unfinished: 0n,
        })),
      },
    },
    {
      name: 'sluice.account.v1.AccountQueryService',
      definition: accountpb.AccountQueryServiceService,
      implementation: Object.fromEntries(
        Object.keys(accountpb.AccountQueryServiceService).map((name) => [
          name,
          unary(async () => {
            throw refusal('ACCOUNT_NOT_FOUND', 'there is no account "nobody"');
          }),
        ]),
      ),
    },
  ]);
  server.setServing(true);
});

afterAll(async () => {
  await server?.stop(0);
});

async function run(...args: string[]): Promise<string> {
  if (grpcurl === undefined) throw new Error('grpcurl is neither installed nor to be had with Go');
  const at = args.findIndex((argument) => !argument.startsWith('-') && argument !== '{}');
  const options = args.slice(0, at);
  const { stdout } = await promisify(execFile)(grpcurl, ['-plaintext', ...options, server.address, ...args.slice(at)]);
  return stdout;
}

whereThere('lists our services, health and both reflections, and nothing that is not here', async () => {
  expect((await run('list')).trim().split('\n')).toEqual([
    'grpc.health.v1.Health',
    'grpc.reflection.v1.ServerReflection',
    'grpc.reflection.v1alpha.ServerReflection',
    'sluice.account.v1.AccountQueryService',
    'sluice.scheduler.v1.SchedulerService',
  ]);
  // Reflection shows what the protos have.
  expect(await run('list', 'sluice.scheduler.v1.SchedulerService')).toContain('sluice.scheduler.v1.SchedulerService.GetStatus\n');
});

whereThere('describes every service that it lists, with our comments', async () => {
  for (const service of (await run('list')).trim().split('\n')) expect(await run('describe', service)).toContain(`${service} is a service`);
  const message = await run('describe', 'sluice.account.v1.Account');
  expect(message).toContain('.google.protobuf.Timestamp opened_at = 14;');
  expect(message).toContain("// The account's key; 1 to 128 bytes.");
  expect(await run('describe', 'google.protobuf.Timestamp')).toContain('int32 nanos = 2;');
});

whereThere('calls without proto files; 64-bit numbers and microseconds stay whole', async () => {
  expect(JSON.parse(await run('-emit-defaults', 'sluice.scheduler.v1.SchedulerService/GetStatus'))).toEqual({
    startedAt: '2026-11-22T16:00:00.123456Z',
    instanceId: 'one',
    active: true,
    waitingTimers: '9007199254740993',
    unfinished: '0',
  });
  expect(JSON.parse(await run('grpc.health.v1.Health/Check'))).toEqual({ status: 'SERVING' });
});

whereThere('shows the reason of a refusal', async () => {
  await expect(run('sluice.account.v1.AccountQueryService/GetAccount')).rejects.toMatchObject({
    stderr: expect.stringMatching(/Code: NotFound\s+Message: there is no account "nobody"[\s\S]*"reason": "ACCOUNT_NOT_FOUND"/),
  });
});
