/**
 * How long the end of a contest takes: from EndRound until a million scores are compared with the log, and from there until ten thousand winners are
 * rewarded. `node tools/bench/contest-end.mjs [--scores N] [--members N]` starts the whole of Sluice over a folder of its own, and says whether
 * each is within its aim: 2 s and 5 s. The build comes first.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const fromApp = createRequire(join(root, 'apps', 'command', 'package.json'));
const { credentials } = fromApp('@grpc/grpc-js');
const { accountpb } = fromApp('@sluice/protocol/account');
const { contestpb } = fromApp('@sluice/protocol/contest');

const RECONCILED_WITHIN_MS = 2_000;
const REWARDED_WITHIN_MS = 5_000;
const BATCH = 10_000;
const POLL_MS = 20;

const { values } = parseArgs({ options: { scores: { type: 'string', default: '1000000' }, members: { type: 'string', default: '10000' } } });
const scoreCount = Number(values.scores);
const memberCount = Number(values.members);

const port = await freePort();
const folder = mkdtempSync(join(tmpdir(), 'sluice-contest-end-'));
const server = spawn(process.execPath, [join(root, 'apps/sluice/dist/main.js'), 'serve'], {
  env: { ...process.env, SLUICE_PORT: String(port), SLUICE_DATA_DIR: folder, SLUICE_METRICS_PORT: '0' },
  stdio: ['ignore', 'ignore', 'inherit'],
});
const options = { 'grpc.max_receive_message_length': 32 << 20, 'grpc.max_send_message_length': 32 << 20 };
const address = `127.0.0.1:${port}`;
const accounts = new accountpb.AccountCommandServiceClient(address, credentials.createInsecure(), options);
const queries = new accountpb.AccountQueryServiceClient(address, credentials.createInsecure(), options);
const contests = new contestpb.ContestCommandServiceClient(address, credentials.createInsecure(), options);
let requests = 0;

try {
  await main();
} finally {
  server.kill('SIGTERM');
  await new Promise((resolve) => server.once('exit', resolve));
  rmSync(folder, { recursive: true, force: true });
}

async function main() {
  await ready();
  // One member of the side that wins has no account, so that something goes back to the fund: then the contest has ended.
  const red = numbered('red', memberCount);
  await open(['fund', ...red]);
  const posting = { requestId: 'credit', accountId: 'fund', type: 1, amountMinor: 1_000_000_000n, unit: 'EUR' };
  await call(accounts, 'post', accountpb.PostRequest.fromPartial({ posting }));
  const sides = [
    { sideId: 'red', accountIds: [...red, 'nobody'] },
    { sideId: 'blue', accountIds: ['blue'] },
  ];
  await ask(
    'createContest',
    contestpb.CreateContestRequest.fromPartial({ sides, rules: { reward: { fundAccountId: 'fund', unit: 'EUR', kind: 1, amountMinor: 100n } } }),
  );
  await ask('startContest', contestpb.StartContestRequest.fromPartial({}));
  const scoring = Date.now();
  await scoreAll(red);
  print(`${scoreCount} scores in ${Date.now() - scoring} ms`);
  const ended = Date.now();
  await ask('endRound', contestpb.EndRoundRequest.fromPartial({ round: 1 }));
  while ((await refusalOf('joinContest', joining())) !== 'CONTEST_FINISHED') await pause();
  const reconciled = Date.now();
  judge('reconciled', reconciled - ended, RECONCILED_WITHIN_MS);
  const left = 1_000_000_000n - BigInt(memberCount) * 100n;
  while ((await balanceOf('fund')) !== left) await pause();
  judge(`${memberCount} winners rewarded`, Date.now() - reconciled, REWARDED_WITHIN_MS);
}

function judge(what, tookMs, aimMs) {
  print(`${what} in ${tookMs} ms; aim ${aimMs} ms: ${tookMs <= aimMs ? 'held' : 'MISSED'}`);
  if (tookMs > aimMs) process.exitCode = 1;
}

async function scoreAll(members) {
  const started = contestpb.ScoreRequest.fromPartial({ requestId: 'first', contestId: 'c', accountId: members[0], points: 1n });
  // The fund may not have answered yet. What is refused is recorded: each try has an id of its own.
  for (let attempt = 1; (await refusalOf('score', { ...started, requestId: `first ${attempt}` })) !== undefined; attempt += 1) await pause();
  let at = 1;
  const work = async () => {
    while (at < scoreCount) {
      const from = at;
      at += BATCH;
      const scores = Array.from({ length: Math.min(BATCH, scoreCount - from) }, (_, offset) =>
        contestpb.ScoreRequest.fromPartial({
          requestId: `s${from + offset}`,
          contestId: 'c',
          accountId: members[(from + offset) % members.length],
          points: 1n,
        }),
      );
      const { results } = await call(contests, 'scoreBatch', { scores });
      const refused = results.find(({ error }) => error !== undefined);
      if (refused !== undefined) throw new Error(`a score was refused: ${refused.error.reason}`);
    }
  };
  await Promise.all([work(), work()]);
}

async function open(accountIds) {
  for (let from = 0; from < accountIds.length; from += BATCH) {
    const part = accountIds
      .slice(from, from + BATCH)
      .map((accountId) => accountpb.AccountOpening.fromPartial({ requestId: `open ${accountId}`, accountId, unit: 'EUR' }));
    await call(accounts, 'openAccounts', { accounts: part });
  }
}

async function balanceOf(accountId) {
  const { account } = await call(queries, 'getAccount', accountpb.GetAccountRequest.fromPartial({ accountId }));
  return account.balanceMinor;
}

function joining() {
  return contestpb.JoinContestRequest.fromPartial({ sideId: 'red', accountIds: ['late'] });
}

function numbered(name, count) {
  return Array.from({ length: count }, (_, at) => `${name}-${at}`);
}

function ask(method, request) {
  requests += 1;
  return call(contests, method, { ...request, contestId: 'c', requestId: request.requestId === '' ? `request ${requests}` : request.requestId });
}

/** Undefined: it is not refused. */
async function refusalOf(method, request) {
  try {
    await ask(method, request);
    return undefined;
  } catch (error) {
    return /\b[A-Z]+(_[A-Z]+)+\b/.exec(String(error.metadata?.get('grpc-status-details-bin')?.[0] ?? ''))?.[0] ?? 'UNKNOWN';
  }
}

function call(client, method, request) {
  return new Promise((resolve, reject) => client[method](request, (error, response) => (error === null ? resolve(response) : reject(error))));
}

function ready() {
  return new Promise((resolve, reject) => accounts.waitForReady(Date.now() + 30_000, (error) => (error === undefined ? resolve() : reject(error))));
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = probe.address();
      probe.close(() => resolve(free));
    });
  });
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

function print(line) {
  process.stdout.write(`${line}\n`);
}
