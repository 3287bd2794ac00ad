/** `sluice health` against real servers, in plain text, with TLS, with mutual TLS and with tokens. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@sluice/ports';
import { schedulerpb } from '@sluice/protocol';
import { silentLogger } from '@sluice/telemetry';
import { CertificateAuthority } from '@sluice/testing';
import { loadConfiguration } from '../config/config';
import { serverOptionsOf } from '../config/server-options';
import { type OpenedServer, openServer } from '../server';
import { openSecurity } from '../security/security';
import { probe } from './probe';
import { runHealthProbe } from './probe-program';
import { probeSettings } from './probe-settings';
import { probeAddresses } from './probe-target';

const SERVICE = { name: 'sluice.scheduler.v1.SchedulerService', definition: { getStatus: schedulerpb.SchedulerServiceService.getStatus } };

let folder: string;
let environments: Readonly<Record<'plain' | 'tls' | 'mutual' | 'tokens', Record<string, string>>>;
const open: { close(): unknown }[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-health-probe-'));
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  // Its names are those of a cluster: loopback is not among them.
  const authority = new CertificateAuthority();
  const server = authority.make({ commonName: 'sluice', dnsNames: ['command.sluice.svc'] });
  const stranger = new CertificateAuthority('Another Authority').make({ commonName: 'stranger' });
  file('stranger.pem', stranger.certificate);
  file('stranger.key', stranger.key);
  const tls = { SLUICE_TLS_CERT: file('server.pem', server.certificate), SLUICE_TLS_KEY: file('server.key', server.key) };
  const callers = { tokens: [{ name: 'shop', token: 'token-of-sixteen-or-more', roles: ['post'] }] };
  environments = {
    plain: {},
    tls,
    mutual: { ...tls, SLUICE_TLS_CA: file('ca.pem', authority.certificate) },
    tokens: { ...tls, SLUICE_AUTH_FILE: file('callers.json', JSON.stringify(callers)) },
  };
});
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A server as a process with that environment starts it: it listens and does not serve yet. */
async function start(environment: Record<string, string>): Promise<OpenedServer> {
  const configuration = loadConfiguration({ ...environment, SLUICE_PORT: '0' });
  const security = await openSecurity(configuration, systemClock, silentLogger);
  open.push(security);
  const server = await openServer({ ...serverOptionsOf(configuration, 0), ...security.server }, [SERVICE]);
  open.push({ close: () => server.stop(0) });
  return server;
}

async function health(environment: Record<string, string>, ...argv: string[]): Promise<{ code: number; said: string }> {
  let said = '';
  const write = (line: string): void => {
    said += `${line}\n`;
  };
  const code = await runHealthProbe(argv, environment, { result: write, problem: write });
  return { code, said };
}

type Kind = keyof typeof environments;

test.each<{ kind: Kind }>([{ kind: 'plain' }, { kind: 'tls' }, { kind: 'mutual' }, { kind: 'tokens' }])(
  '$kind: the probe needs nothing but the configuration of the process, and sees it come and go',
  async ({ kind }) => {
    const server = await start(environments[kind]);
    const environment = { ...environments[kind], SLUICE_PORT: String(server.port) };
    expect(await health(environment, 'scheduler')).toMatchObject({ code: 1, said: expect.stringContaining('NOT_SERVING') });
    expect(await health(environment, 'scheduler', '--alive')).toMatchObject({ code: 0 });
    server.setServing(true);
    expect(await health(environment, 'scheduler')).toEqual({ code: 0, said: `127.0.0.1:${server.port} SERVING\n` });
    expect(await health(environment)).toMatchObject({ code: 0 });
    await server.stop(0);
    expect(await health(environment, 'scheduler')).toMatchObject({ code: 3, said: expect.stringContaining('ABSENT') });
    expect(await health(environment, 'scheduler', '--alive')).toMatchObject({ code: 3 });
  },
);

test('mutual TLS: a certificate that the process does not accept gives no answer; one that it does accept can be named', async () => {
  const server = await start(environments.mutual);
  server.setServing(true);
  const environment = { ...environments.mutual, SLUICE_PORT: String(server.port) };
  const shown = (name: string): string[] => ['--tls-cert', join(folder, `${name}.pem`), '--tls-key', join(folder, `${name}.key`)];
  expect(await health(environment, ...shown('stranger'))).toMatchObject({ code: 3, said: expect.stringContaining('SILENT') });
  expect(await health(environment, ...shown('server'))).toMatchObject({ code: 0 });
  expect(await health(environment, ...shown('missing'))).toMatchObject({ code: 78, said: expect.stringContaining('missing.pem cannot be read') });
});

test('a process that accepts connections and answers nothing is silent', async () => {
  const mute: Server = createServer((socket) => open.push({ close: () => socket.destroy() }));
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  open.push({ close: () => mute.close() });
  const { port } = mute.address() as { port: number };
  expect(await probe(`127.0.0.1:${port}`, undefined, 100)).toMatchObject({ state: 'SILENT' });
});

test.each`
  argv                        | environment                           | code  | says
  ${['quary']}                | ${{}}                                 | ${2}  | ${'"quary" is not a service: serve, command, query, projector, scheduler'}
  ${['query', 'command']}     | ${{}}                                 | ${2}  | ${'one service at most'}
  ${['--target', '10.0.0.1']} | ${{}}                                 | ${2}  | ${'--target'}
  ${['--tls-cert', 'a.pem']}  | ${{}}                                 | ${2}  | ${'belong together'}
  ${['--help']}               | ${{}}                                 | ${0}  | ${'usage: sluice health'}
  ${[]}                       | ${{ SLUICE_PORT: '0' }}               | ${78} | ${'the port in use cannot be known'}
  ${[]}                       | ${{ SLUICE_CONFIG: '/no/such/file' }} | ${78} | ${'/no/such/file cannot be read'}
`('health $argv with $environment: exit code $code', async ({ argv, environment, code, says }) => {
  expect(await health(environment, ...argv)).toMatchObject({ code, said: expect.stringContaining(says) });
});

test.each`
  host           | port         | service      | asked
  ${'127.0.0.1'} | ${undefined} | ${'query'}   | ${['127.0.0.1:7401']}
  ${'127.0.0.1'} | ${undefined} | ${'serve'}   | ${['127.0.0.1:7400']}
  ${'127.0.0.1'} | ${undefined} | ${undefined} | ${['127.0.0.1:7400', '127.0.0.1:7401', '127.0.0.1:7402', '127.0.0.1:7403']}
  ${'0.0.0.0'}   | ${7777}      | ${'command'} | ${['127.0.0.1:7777']}
  ${'::'}        | ${7777}      | ${undefined} | ${['[::1]:7777']}
  ${'10.1.2.3'}  | ${undefined} | ${'command'} | ${['10.1.2.3:7400']}
`('a process that listens on $host, port $port, asked for $service: $asked', ({ host, port, service, asked }) => {
  expect(probeAddresses({ host, port }, service)).toEqual(asked);
});

test('a probe reads its settings as the process does: the environment before the file', () => {
  const path = join(folder, 'config.json');
  writeFileSync(path, JSON.stringify({ host: '::1', port: 7777, tlsCert: 'a.pem', tlsKey: 'a.key', servers: 3 }));
  for (const environment of [
    {},
    { SLUICE_CONFIG: path },
    { SLUICE_CONFIG: path, SLUICE_PORT: '8888', SLUICE_HOST: '', SLUICE_TLS_CA: 'ca.pem' },
    { SLUICE_HOST: '0.0.0.0', SLUICE_TLS_CERT: 'b.pem', SLUICE_TLS_KEY: 'b.key' },
  ]) {
    const { host, port, tlsCert, tlsKey, tlsCa } = loadConfiguration(environment);
    const read = probeSettings(environment);
    expect({ ...read, host: read.host ?? '127.0.0.1' }).toEqual({ host, port: port?.toString(), tlsCert, tlsKey, tlsCa });
  }
});
