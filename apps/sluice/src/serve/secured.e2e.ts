/**
 * A server with everything that security has: mutual TLS, static tokens, web tokens by a key set that is had by https, a sealed
 * keyring, signed accounts. Who shows the right things gets in, by the commands that the server shows; and whatever the
 * processes say, no secret is in it.
 */
import { execFile, spawn } from 'node:child_process';
import { createHmac, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CertificateAuthority } from '@sluice/testing';
import { EXIT } from '../exit-code';
import { cli, cliOnceProjected, type CliResult, grpcurlFolder, ServedSluice, withGrpcurl } from '../testing/cli-for-tests';

const run = promisify(execFile);

const secretOf = (what: string): string => `${what}-${randomBytes(12).toString('hex')}`;
const POSTER = secretOf('token-of-a-poster');
const STRANGER = secretOf('token-of-a-stranger');
const PEER = secretOf('token-of-a-peer');
const KEYRING_SECRET = secretOf('keyring-secret');
const SIGNING_KEY = randomBytes(32);
const ISSUER = 'https://issuer.test';

let folder: string;
let keySet: Server;
let keySetAsked = 0;
let webTokens: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
let served: ServedSluice;
/** What the command line said in all tests together. */
let said = '';
const privateKeys: string[] = [];

const file = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-secured-'));
  const authority = new CertificateAuthority();
  const server = authority.make({ commonName: 'server', dnsNames: ['localhost'], ipv4: ['127.0.0.1'] });
  const client = authority.make({ commonName: 'client' });
  const stranger = new CertificateAuthority('Another Authority');
  privateKeys.push(server.key, client.key);
  for (const [name, content] of Object.entries({
    'ca.pem': authority.certificate,
    'other-ca.pem': stranger.certificate,
    'server.pem': server.certificate,
    'server.key': server.key,
    'client.pem': client.certificate,
    'client.key': client.key,
    'callers.json': JSON.stringify({
      tokens: [
        { name: 'shop', token: POSTER, roles: ['post', 'read', 'operate'] },
        { name: 'peers', token: PEER, roles: ['peer'] },
      ],
    }),
  }))
    await writeFile(file(name), content);

  webTokens = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  keySet = createServer({ cert: server.certificate, key: server.key }, (_request, response) => {
    keySetAsked += 1;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ keys: [{ ...webTokens.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256' }] }));
  });
  await new Promise<void>((resolve) => keySet.listen(0, '127.0.0.1', resolve));

  served = await ServedSluice.start({
    SLUICE_DATA_DIR: file('data'),
    SLUICE_TLS_CERT: file('server.pem'),
    SLUICE_TLS_KEY: file('server.key'),
    SLUICE_TLS_CA: file('ca.pem'),
    SLUICE_AUTH_FILE: file('callers.json'),
    SLUICE_AUTH_JWKS: `https://127.0.0.1:${(keySet.address() as AddressInfo).port}/keys`,
    SLUICE_AUTH_ISSUER: ISSUER,
    SLUICE_AUTH_AUDIENCE: 'sluice',
    SLUICE_PEER_TOKEN: PEER,
    SLUICE_KEYRING_SECRET: KEYRING_SECRET,
    SLUICE_LOG_LEVEL: 'trace',
    NODE_EXTRA_CA_CERTS: file('ca.pem'),
  });
});
afterAll(async () => {
  await served.end('SIGKILL');
  await new Promise((resolve) => keySet.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

async function sluice(argv: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<CliResult> {
  const result = await cli([...argv, '--target', served.address, '--deadline', '3000'], { environment });
  said += result.out + result.err;
  return result;
}

/** A web token signed by the key of the set, or by another one. */
function webToken(claims: object, key: KeyObject = webTokens.privateKey): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1_000) + 600;
  const content = `${part({ alg: 'ES256', kid: 'one' })}.${part({ iss: ISSUER, aud: 'sluice', sub: 'somebody', exp, ...claims })}`;
  return `${content}.${sign('sha256', Buffer.from(content), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

const anotherKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

const withCertificates = (): string[] => ['--tls-ca', file('ca.pem'), '--tls-cert', file('client.pem'), '--tls-key', file('client.key')];

test.each`
  who                                      | options                                                                                                        | code
  ${'who shows a certificate and a token'} | ${() => [...withCertificates(), '--token', POSTER]}                                                            | ${EXIT.done}
  ${'without a token'}                     | ${withCertificates}                                                                                            | ${EXIT.forbidden}
  ${'with a token that nobody knows'}      | ${() => [...withCertificates(), '--token', STRANGER]}                                                          | ${EXIT.forbidden}
  ${'without a certificate'}               | ${() => ['--tls-ca', file('ca.pem'), '--token', POSTER]}                                                       | ${EXIT.unavailable}
  ${'who believes another authority'}      | ${() => ['--tls-ca', file('other-ca.pem'), '--tls-cert', file('client.pem'), '--tls-key', file('client.key')]} | ${EXIT.unavailable}
  ${'who believes the usual authorities'}  | ${() => ['--tls', '--token', POSTER]}                                                                          | ${EXIT.unavailable}
  ${'in plain text'}                       | ${() => ['--token', POSTER]}                                                                                   | ${EXIT.unavailable}
  ${'with a certificate, but not its key'} | ${() => ['--tls-ca', file('ca.pem'), '--tls-cert', file('client.pem')]}                                        | ${EXIT.usage}
  ${'with an authority that is not there'} | ${() => ['--tls-ca', file('missing.pem')]}                                                                     | ${EXIT.usage}
`('the command line, $who: exit code $code', async ({ options, code }: { options: () => string[]; code: number }) => {
  expect(await sluice(['account', 'list', ...options()])).toMatchObject({ code });
});

describe('web tokens, by a key set that is had by https', () => {
  test.each`
    token                      | made                                                 | command                                                              | code
    ${'for reading'}           | ${() => webToken({ roles: ['read'] })}               | ${['account', 'list']}                                               | ${EXIT.done}
    ${'for reading'}           | ${() => webToken({ roles: ['read'] })}               | ${['account', 'open', 'a', 'EUR']}                                   | ${EXIT.forbidden}
    ${'for posting'}           | ${() => webToken({ roles: ['post'] })}               | ${['account', 'open', 'a', 'EUR', '--request-id', 'by-a-web-token']} | ${EXIT.done}
    ${'for somebody else'}     | ${() => webToken({ roles: ['read'], aud: 'other' })} | ${['account', 'list']}                                               | ${EXIT.forbidden}
    ${'signed by another key'} | ${() => webToken({ roles: ['read'] }, anotherKey())} | ${['account', 'list']}                                               | ${EXIT.forbidden}
  `('$token: sluice $command: exit code $code', async ({ made, command, code }: { made: () => string; command: string[]; code: number }) => {
    const given = made();
    const result = await sluice([...command, ...withCertificates()], { SLUICE_TOKEN: given });
    expect(result).toMatchObject({ code });
    expect(said + served.output).not.toContain(given);
  });

  test('the keys are asked for once, not for every token', () => {
    expect(keySetAsked).toBe(1);
  });
});

test('an account whose postings are signed', async () => {
  const as = [...withCertificates(), '--token', POSTER];
  const key = ['--signing-key', SIGNING_KEY.toString('hex')];
  const wrongKey = ['--signing-key', createHmac('sha256', SIGNING_KEY).digest('hex')];
  const post = ['account', 'post', 'signed', 'CREDIT', '5', 'EUR'];
  expect(await sluice(['account', 'open', 'signed', 'EUR', ...key, ...as])).toMatchObject({ code: EXIT.done });
  expect(await sluice([...post, ...key, ...as])).toMatchObject({ code: EXIT.done });
  expect(await sluice([...post, ...wrongKey, ...as])).toMatchObject({ code: EXIT.refused });
  expect(await sluice([...post, ...as])).toMatchObject({ code: EXIT.refused });
  expect(await sluice(['account', 'get', 'signed', '--json', ...as])).toMatchObject({ code: EXIT.done });
});

describe('the commands that the start shows', () => {
  const shown = (program: string): string[] => served.output.split('\n').filter((line) => line.startsWith(`  ${program}`));
  const asCaller = (): NodeJS.ProcessEnv => ({ SLUICE_TARGET_CA: file('ca.pem'), SLUICE_TOKEN: POSTER });

  test('say what has to be given, and fit TLS', () => {
    expect(served.output).toMatch(/export SLUICE_TARGET_CA=[^]*export SLUICE_TOKEN=[^]*npx sluice/);
    expect(served.output).not.toContain('-plaintext');
  });

  test('of the command line work', async () => {
    const lines = shown('npx sluice');
    expect(lines.length).toBeGreaterThanOrEqual(3);
    for (const line of lines) {
      const argv = line.trim().split(/\s+/).slice(2);
      const given = argv.map((word) => (word.startsWith('client.') ? file(word) : word));
      expect(await cliOnceProjected(given, { environment: asCaller() })).toMatchObject({ code: EXIT.done, err: '' });
    }
  });

  // Where grpcurl must not be missing the test runs, and fails.
  const whereGrpcurlIs = grpcurlFolder() !== undefined || process.env['CI'] === 'true' ? test : test.skip;

  whereGrpcurlIs('of grpcurl work', async () => {
    const lines = shown('grpcurl');
    expect(lines.length).toBeGreaterThanOrEqual(4);
    for (const line of lines) await run('sh', ['-c', line], { cwd: folder, env: { ...withGrpcurl(), ...asCaller() } });
  });
});

test('a service of its own does not say the credentials of servers that it cannot reach', async () => {
  const mongodbPassword = secretOf('password-of-mongodb');
  const natsPassword = secretOf('password-of-nats');
  const child = spawn(process.execPath, [join(__dirname, '..', '..', '..', 'command', 'dist', 'main.js')], {
    env: {
      PATH: process.env['PATH'],
      SLUICE_PORT: '0',
      SLUICE_METRICS_PORT: 'off',
      SLUICE_MONGODB_URL: `mongodb://sluice:${mongodbPassword}@127.0.0.1:1/sluice`,
      SLUICE_NATS_URL: `nats://sluice:${natsPassword}@127.0.0.1:1`,
      SLUICE_KEYRING_SECRET: KEYRING_SECRET,
      SLUICE_PEER_TOKEN: PEER,
      SLUICE_LOG_LEVEL: 'trace',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  try {
    await new Promise<void>((resolve) => {
      const keep = (chunk: Buffer): void => {
        output += chunk.toString('utf8');
        if (output.includes('127.0.0.1:1')) resolve();
      };
      child.stdout.on('data', keep);
      child.stderr.on('data', keep);
      child.on('exit', () => resolve());
    });
  } finally {
    child.kill('SIGKILL');
  }
  expect(output).toContain('127.0.0.1:1');
  for (const secret of [mongodbPassword, natsPassword, KEYRING_SECRET, PEER]) expect(output).not.toContain(secret);
});

test('no secret is in anything that was said, to the very end', async () => {
  expect(await served.end('SIGTERM')).toBe(EXIT.done);
  const everything = served.output + said;
  // Something was said at all: a refusal is logged or answered.
  expect(everything).toContain('NOT_AUTHENTICATED');
  const secrets = [POSTER, STRANGER, PEER, KEYRING_SECRET, ...(['hex', 'base64', 'base64url', 'latin1'] as const).map((form) => SIGNING_KEY.toString(form))];
  const keyLines = privateKeys.flatMap((key) => key.split('\n').filter((line) => line !== '' && !line.startsWith('-----')));
  for (const secret of [...secrets, ...keyLines]) expect(everything).not.toContain(secret);
});
