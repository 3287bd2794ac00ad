/**
 * Every command line of deploy/, run: the image's files, each container's arguments and variables, its probes, against NATS with the
 * configuration of deploy/ and MongoDB (or what stands in for it). Other than in a container are only addresses, ports and the
 * users of MongoDB.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceClient, type TlsOptions } from '@sluice/client';
import { freePort, haveServer, type RunningServer, startMongo } from '@sluice/infra';
import { CertificateAuthority } from '@sluice/testing';
import { composeContainers, composeServices } from './compose-file';
import { type Container, OUR_IMAGE, secretFor } from './container';
import { DEPLOY } from './deploy-folder';
import { imageDefaults } from './dockerfile';
import { ImageRoot } from './image-root';
import { kubernetesContainers, resourcesOf } from './kubernetes-files';
import { type NatsFromConfiguration, startNatsFrom } from './nats-from-configuration';
import { RunningContainer } from './running-container';
import { SECRET_VALUES } from './secret-values';

const possible = haveServer('nats', { external: false }) && haveServer('mongodb', { external: false });
const NATS_PASSWORD = 'password-of-nats';
const MINUTE_MS = 60_000;
const ACCOUNTS = ['wallet-1', 'wallet-2', 'wallet-3', 'wallet-4', 'wallet-5', 'wallet-6'];

let root: ImageRoot;
const containers: RunningContainer[] = [];

beforeAll(() => {
  root = ImageRoot.make();
});
afterEach(() => Promise.all(containers.splice(0).map((container) => container.remove())));
afterAll(() => root.remove());

function run(args: readonly string[], environment: Readonly<Record<string, string>>): RunningContainer {
  const container = new RunningContainer(root, [...imageDefaults().entrypoint, ...args], environment);
  containers.push(container);
  return container;
}

test('the image has no development dependency, no tool but the replay, and no source', () => {
  const installed = readdirSync(root.path('/sluice/node_modules'));
  for (const name of ['jest', 'nx', 'typescript', 'eslint', 'esbuild', 'tsx', 'pg', 'hdr-histogram-js', 'mongodb-memory-server-core', 'fast-check'])
    expect(installed).not.toContain(name);
  expect(readdirSync(root.path('/sluice'))).toEqual(['LICENSE', 'apps', 'deploy', 'libs', 'node_modules', 'package.json', 'tools']);
  expect(readdirSync(root.path('/sluice/tools'))).toEqual(['replay']);
  const files = readdirSync(root.path('/sluice'), { recursive: true, encoding: 'utf8' });
  expect(files.filter((file) => !file.startsWith('node_modules') && /\.ts$|(^|\/)src\//.test(file))).toEqual([]);
});

test.each`
  args                   | code  | says
  ${['--version']}       | ${0}  | ${'0.1.0'}
  ${['--help']}          | ${0}  | ${'Usage: sluice'}
  ${['health']}          | ${3}  | ${'nothing listens there'}
  ${['bench', 'signed']} | ${2}  | ${'not part of this installation'}
  ${['query', '--port']} | ${2}  | ${'sluice query takes no arguments'}
  ${['quary']}           | ${2}  | ${"unknown command 'quary'"}
  ${['query']}           | ${78} | ${'SLUICE_READ_URL or SLUICE_MONGODB_URL must be given'}
`('sluice $args: exit code $code', async ({ args, code, says }: { args: string[]; code: number; says: string }) => {
  const container = run(args, { SLUICE_PORT: String(await freePort()), SLUICE_METRICS_PORT: 'off' });
  expect(await container.ended).toMatchObject({ code });
  expect(container.lines.join('\n')).toContain(says);
});

test('without arguments the image serves, is healthy by its own check, and stops in order when it is asked to', async () => {
  const { command, environment, healthcheck } = imageDefaults();
  const data = root.path(environment['SLUICE_DATA_DIR'] ?? '');
  const container = run(command, { ...environment, SLUICE_DATA_DIR: data, SLUICE_PORT: String(await freePort()) });
  await container.untilItSays('Ctrl-C stops it.');
  expect(await container.execute(healthcheck)).toMatchObject({ code: 0, output: expect.stringContaining('SERVING') });
  expect(readdirSync(data)).toContain('log.db');
  expect(await container.stop()).toEqual({ code: 0, signal: null });
  expect(container.lines.at(-1)).toBe('stopped');
});

test('a signal that comes while modules are loading is kept for the service', async () => {
  const hook = root.path('/signal-while-loading.cjs');
  writeFileSync(
    hook,
    `const Module = require('node:module');
     const load = Module._load;
     Module._load = function (request, ...rest) {
       if (/apps\\/query\\/dist\\/main\\.js$/.test(request)) process.kill(process.pid, 'SIGTERM');
       return load.call(this, request, ...rest);
     };`,
  );
  const container = run(['query'], {
    NODE_OPTIONS: `--require ${hook}`,
    SLUICE_PORT: '0',
    SLUICE_METRICS_PORT: 'off',
    SLUICE_READ_URL: `mongodb://127.0.0.1:${await freePort()}/never?serverSelectionTimeoutMS=500`,
  });
  expect(await container.ended).toEqual({ code: 0, signal: null });
  expect(container.lines.at(-1)).toContain('"message":"stopped"');
});

/** Several where there would be several, so that they must find each other. */
const COMMAND_PODS = 2;

interface Deployment {
  readonly file: string;
  readonly containers: readonly Container[];
  readonly natsConfiguration: string;
  readonly natsPassword: string;
  /** Where a monitor asks NATS. */
  readonly natsHealth: readonly string[];
}

function kubernetes(folder: string): Deployment {
  const resources = resourcesOf(folder);
  const described = kubernetesContainers(folder, (key) => SECRET_VALUES[key] ?? '');
  const [nats] = resources.flatMap(({ spec }) => spec?.template?.spec.containers ?? []).filter(({ name }) => name === 'nats');
  return {
    file: folder,
    containers: described.flatMap((container) => (container.args[0] === 'command' ? Array<Container>(COMMAND_PODS).fill(container) : [container])),
    natsConfiguration: resources.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'nats')?.data?.['nats.conf'] ?? '',
    natsPassword: NATS_PASSWORD,
    natsHealth: [nats?.startupProbe, nats?.readinessProbe, nats?.livenessProbe].map((probe) => probe?.httpGet?.path ?? ''),
  };
}

const DEPLOYMENTS: readonly Deployment[] = [
  {
    file: 'compose.yaml',
    containers: composeContainers(),
    natsConfiguration: readFileSync(join(DEPLOY, 'nats.conf'), 'utf8'),
    natsPassword: secretFor('NATS_PASSWORD'),
    natsHealth: [new URL(composeServices['nats']?.healthcheck?.test.at(-1) ?? '').pathname],
  },
  kubernetes('kubernetes'),
  kubernetes('kubernetes-tls'),
];

(possible ? describe : describe.skip).each(DEPLOYMENTS)('$file', (deployment) => {
  let folder: string;
  let nats: NatsFromConfiguration;
  let mongodb: RunningServer;
  const services = deployment.containers.filter(({ image }) => image === OUR_IMAGE);
  const tls = services.some(({ mounts }) => mounts.includes('/tls'));

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-deploy-'));
    nats = await startNatsFrom(deployment.natsConfiguration, deployment.natsPassword, join(folder, 'nats'));
    mongodb = await startMongo({ dataDir: join(folder, 'mongodb'), external: false });
    if (!tls) return;
    mkdirSync(root.path('/tls'), { recursive: true });
    const authority = new CertificateAuthority();
    const made = authority.make({ commonName: 'sluice', dnsNames: ['localhost'] });
    for (const [name, content] of Object.entries({ 'tls.crt': made.certificate, 'tls.key': made.key, 'ca.crt': authority.certificate }))
      writeFileSync(root.path(`/tls/${name}`), content);
  });
  afterAll(async () => {
    await Promise.all([nats?.stop(), mongodb?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** The container's variables, with addresses of this machine in them. */
  function here(environment: Readonly<Record<string, string>>, port: number): Record<string, string> {
    const adapted = Object.entries(environment).map(([variable, value]) => {
      if (value.startsWith('mongodb://')) return [variable, `mongodb://${new URL(mongodb.url).host}${new URL(value.replace(/,[^/]*/, '')).pathname}`];
      if (value.startsWith('nats://')) return [variable, value.replace(/@.*$/, `@${nats.address}`)];
      if (value.startsWith('/tls/')) return [variable, root.path(value)];
      if (value === '0.0.0.0') return [variable, '127.0.0.1'];
      return [variable, value];
    });
    const own: Record<string, string> = { SLUICE_PORT: String(port), SLUICE_METRICS_PORT: '0' };
    if ('SLUICE_ADVERTISED_ADDRESS' in environment) own['SLUICE_ADVERTISED_ADDRESS'] = `localhost:${port}`;
    return { ...(Object.fromEntries(adapted) as Record<string, string>), ...own };
  }

  const file = (name: string): string => root.path(`/tls/${name}`);
  const certificates = (): TlsOptions | undefined =>
    tls
      ? { rootCertificates: readFileSync(file('ca.crt')), certificateChain: readFileSync(file('tls.crt')), privateKey: readFileSync(file('tls.key')) }
      : undefined;
  const certificateOptions = (): string[] => ['--tls-ca', file('ca.crt'), '--tls-cert', file('tls.crt'), '--tls-key', file('tls.key')];

  test('every container serves, is found healthy by its probes, answers as one with the others, and stops in order', async () => {
    const started: { readonly container: Container; readonly running: RunningContainer; readonly port: number }[] = [];
    for (const container of services) {
      const port = await freePort();
      started.push({ container, port, running: run(container.args, here(container.environment, port)) });
    }
    await Promise.all(started.map(({ running }) => running.untilItSays('"message":"listening"')));
    await Promise.all(started.map(({ running }) => running.untilItSays('"message":"serving"')));

    for (const { container, running } of started) {
      for (const command of new Set(Object.values(container.probes).map((probe) => JSON.stringify(probe)))) {
        const { code, output } = await running.execute(JSON.parse(command) as string[]);
        expect({ command, code, output }).toMatchObject({ code: 0, output: expect.stringContaining('SERVING') });
      }
    }
    for (const path of deployment.natsHealth) expect((await fetch(`${nats.monitorUrl}${path}`)).status).toBe(200);

    const addressesOf = (service: string): string[] => started.filter(({ container }) => container.args[0] === service).map(({ port }) => `localhost:${port}`);
    const [queryTarget] = addressesOf('query');
    const clients = addressesOf('command').map((target) => new SluiceClient({ target, queryTarget, tls: certificates(), deadlineMs: MINUTE_MS }));
    const [first, second] = clients as [SluiceClient, SluiceClient];
    try {
      // Of several accounts some belong to either instance, whichever is asked: so they call each other.
      for (const accountId of ACCOUNTS) {
        await first.accounts.open({ accountId, unit: 'EUR' });
        await second.accounts.credit({ accountId, amountMinor: 2_500n, unit: 'EUR' });
        expect(await second.accounts.get(accountId)).toMatchObject({ balanceMinor: 2_500n });
      }
    } finally {
      for (const client of clients) client.close();
    }
    const [inside] = started;
    const verify = ['sluice', 'verify', '--projector-target', addressesOf('projector')[0] ?? '', ...(tls ? certificateOptions() : [])];
    expect(await inside?.running.execute(verify)).toMatchObject({ code: 0 });

    // What a read-only file system would refuse.
    expect(readdirSync(root.path('/tmp'))).toEqual([]);
    expect(readdirSync(root.workingDirectory)).toEqual(['LICENSE', 'apps', 'deploy', 'libs', 'node_modules', 'package.json', 'tools']);

    const ends = await Promise.all(started.map(({ running }) => running.stop()));
    expect(ends).toEqual(started.map(() => ({ code: 0, signal: null })));
    for (const { running } of started) expect(running.lines.at(-1)).toContain('"message":"stopped"');
    const said = started.flatMap(({ running }) => running.lines).join('\n');
    for (const secret of secretsOf(services)) expect(said).not.toContain(secret);
  });
});

/** Passwords of URLs, and values that are secret as a whole. */
function secretsOf(described: readonly Container[]): Set<string> {
  const values = described.flatMap(({ environment, secretVariables }) => secretVariables.map((variable) => environment[variable] ?? ''));
  return new Set(values.map((value) => /:\/\/[^:]*:([^@]*)@/.exec(value)?.[1] ?? value));
}
