/** Instances that call each other by TLS and with tokens, as configured rightly and wrongly. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, Metadata } from '@grpc/grpc-js';
import { ManualClock } from '@sluice/memory';
import { accountpb } from '@sluice/protocol/account';
import { loadConfiguration, openSecurity, RateLimitedLog, type Security } from '@sluice/service';
import { createLogger } from '@sluice/telemetry';
import { CertificateAuthority } from '@sluice/testing';
import { posting, verdictOf } from './test/command-under-test';
import { answered, look, type SharingInstance, SharingInstances } from './test/sharing-instances';

const PEER_TOKEN = 'peer-token-of-sixteen-or-more';
const SHOP_TOKEN = 'shop-token-of-sixteen-or-more';
const SECRET = { SLUICE_KEYRING_SECRET: 'a-secret-of-the-deployment' };
const ACCOUNTS = Array.from({ length: 12 }, (_, at) => `account ${at}`);

const authority = new CertificateAuthority();
let folder: string;
let clock: ManualClock;
let logged: string;
let instances: SharingInstances;
const opened: Security[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-peers-test-'));
  clock = new ManualClock(Date.now() * 1_000);
  logged = '';
  instances = new SharingInstances({ partitions: 2 });
});
afterEach(async () => {
  await instances.stop();
  for (const security of opened.splice(0)) security.close();
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function callers(peerToken = PEER_TOKEN): Record<string, string> {
  const tokens = [
    { name: 'shop', token: SHOP_TOKEN, roles: ['post'] },
    { name: 'peers', token: peerToken, roles: ['peer'] },
  ];
  return { SLUICE_AUTH_FILE: file(`callers of ${peerToken}.json`, JSON.stringify({ tokens })) };
}

/** Certificates of the private authority for 127.0.0.1. */
function certificates(name: string, by = authority): Record<string, string> {
  const { certificate, key } = by.make({ commonName: name, ipv4: ['127.0.0.1'] });
  return { SLUICE_TLS_CERT: file(`${name}.pem`, certificate), SLUICE_TLS_KEY: file(`${name}.key`, key) };
}

async function secure(environment: Record<string, string>): Promise<Security> {
  const logger = createLogger({ service: 'test', destination: { write: (line) => void (logged += line) } });
  const security = await openSecurity(loadConfiguration({ ...SECRET, ...environment }), clock, logger);
  opened.push(security);
  return security;
}

async function start(name: string, environment: Record<string, string>): Promise<SharingInstance> {
  const { server, peer } = await secure(environment);
  const logger = createLogger({ service: 'test', destination: { write: (line) => void (logged += line) } });
  const channel = environment.SLUICE_TLS_CERT === undefined ? credentials.createInsecure() : credentials.createSsl(Buffer.from(authority.certificate));
  return instances.start(name, { server, peers: peer, channel, log: new RateLimitedLog(logger, clock) });
}

/** What postings on accounts of both partitions come to: they do not exist, if the owner is reached. */
async function verdicts(instance: SharingInstance): Promise<Set<string>> {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${SHOP_TOKEN}`);
  const postings = ACCOUNTS.map((accountId) => posting('CREDIT', 'c', 1n, { accountId }));
  const request = accountpb.PostBatchRequest.fromPartial({ postings });
  const { results } = await answered<accountpb.PostBatchResponse>((done) => instance.client.postBatch(request, metadata, done));
  return new Set(results.map(verdictOf));
}

const REACHED = new Set(['ACCOUNT_NOT_FOUND']);
const NOT_REACHED = new Set(['ACCOUNT_NOT_FOUND', 'PARTITION_UNAVAILABLE']);

test('under TLS of a private authority and with tokens each instance answers for every partition', async () => {
  const peers = { ...callers(), SLUICE_PEER_TOKEN: PEER_TOKEN, SLUICE_PEER_CA: file('ca.pem', authority.certificate) };
  const one = await start('one', { ...certificates('one'), ...peers });
  const two = await start('two', { ...certificates('two'), ...peers });
  await instances.untilShared();
  expect(await verdicts(one)).toEqual(REACHED);
  expect(await verdicts(two)).toEqual(REACHED);
});

test('a peer token that the owner does not know: the caller gets PARTITION_UNAVAILABLE, the log says what to change', async () => {
  const one = await start('one', { ...callers(), SLUICE_PEER_TOKEN: PEER_TOKEN });
  await start('two', callers('another-token-of-the-peers'));
  await instances.untilShared();
  expect(await verdicts(one)).toEqual(NOT_REACHED);
  expect(await verdicts(one)).toEqual(NOT_REACHED);
  expect(logged.match(/"level":"error".*the token is unknown.*give SLUICE_PEER_TOKEN a token with the role/g)).toHaveLength(1);
  expect(logged).not.toContain(PEER_TOKEN);
});

test('a private authority that the instance does not know: PARTITION_UNAVAILABLE, and the log names SLUICE_PEER_CA', async () => {
  const one = await start('one', certificates('one'));
  await start('two', certificates('two'));
  await instances.untilShared();
  expect(await verdicts(one)).toEqual(NOT_REACHED);
  expect(logged).toMatch(/"level":"error".*SLUICE_PEER_CA must name the authority/);
});

test.each`
  fault                          | environments                                                                                      | told
  ${'a token of the other kind'} | ${() => [{ ...callers(), SLUICE_PEER_TOKEN: PEER_TOKEN }, callers('another-token-of-the-peers')]} | ${/give SLUICE_PEER_TOKEN a token with the role/}
  ${'an unknown authority'}      | ${() => [certificates('one'), certificates('two')]}                                               | ${/SLUICE_PEER_CA must name the authority/}
`(
  '$fault is told when the instance starts, before any request',
  async ({ environments, told }: { environments: () => Record<string, string>[]; told: RegExp }) => {
    const [first = {}, second = {}] = environments();
    await start('one', first);
    await start('two', second);
    while (!told.test(logged)) await look();
  },
);

test('an instance that is away when another one starts is no fault of the configuration', async () => {
  const one = await start('one', certificates('one'));
  one.silence();
  const two = await start('two', certificates('two'));
  while (two.command.engine.owned.length < 2) await look();
  expect(logged).not.toContain('"level":"error"');
});

test('an authority that is replaced is taken without a restart', async () => {
  const ca = file('ca.pem', new CertificateAuthority('Another').certificate);
  const one = await start('one', { ...certificates('one'), SLUICE_PEER_CA: ca });
  await start('two', { ...certificates('two'), SLUICE_PEER_CA: ca });
  await instances.untilShared();
  expect(await verdicts(one)).toEqual(NOT_REACHED);
  file('ca.pem', authority.certificate);
  while (!logged.includes('files were read again')) await clock.elapse(5_000);
  let seen = NOT_REACHED;
  while (seen.has('PARTITION_UNAVAILABLE')) seen = await verdicts(one);
  expect(seen).toEqual(REACHED);
});

test.each`
  environment                                                 | problem
  ${{}}                                                       | ${/SLUICE_PEER_TOKEN must be given/}
  ${{ SLUICE_PEER_TOKEN: 'a-token-that-is-not-in-the-file' }} | ${/SLUICE_PEER_TOKEN is no token of SLUICE_AUTH_FILE/}
  ${{ SLUICE_PEER_TOKEN: SHOP_TOKEN }}                        | ${/"shop", who lacks the role "peer"/}
  ${{ SLUICE_PEER_TOKEN: PEER_TOKEN }}                        | ${undefined}
`('an instance with $environment knows at start whether the others will take it for a peer', async ({ environment, problem }) => {
  const { peer } = await secure({ ...callers(), ...environment });
  if (problem === undefined) expect(peer.problem).toBeUndefined();
  else expect(peer.problem).toMatch(problem as RegExp);
});
