/**
 * Every container of our image, in compose.yaml and in the Kubernetes files: what it runs exists, its configuration is valid and
 * documented, and it is given the secrets that it uses and no others.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { environmentFor, SERVICE_NAMES, type ServiceName } from '@sluice/distributed';
import { environmentName, loadConfiguration, type SettingName, SETTINGS, WELL_KNOWN_PORTS } from '@sluice/service';
import { composeContainers } from './compose-file';
import { type Container, OUR_IMAGE } from './container';
import { ROOT } from './deploy-folder';
import { imageDefaults } from './dockerfile';
import { kubernetesContainers } from './kubernetes-files';
import { SECRET_VALUES } from './secret-values';

const DOCUMENTED = new Set(readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8').match(/(?<=^\| `)SLUICE_[A-Z_]+/gm));
/** Of the runtime, for other variables to be made of. */
const NOT_SETTINGS = ['POD_NAME', 'POD_NAMESPACE'];
/** What a process may take to stop: calls in flight, then handing over. */
const HANDING_OVER_SECONDS = 20;

const FILES: Readonly<Record<string, readonly Container[]>> = {
  'compose.yaml': composeContainers(),
  kubernetes: kubernetesContainers('kubernetes', (key) => SECRET_VALUES[key] ?? ''),
  'kubernetes-tls': kubernetesContainers('kubernetes-tls', (key) => SECRET_VALUES[key] ?? ''),
};
const ours = (containers: readonly Container[]): Container[] => containers.filter(({ image }) => image === OUR_IMAGE);

test.each(Object.entries(FILES))('%s runs every service', (_, containers) => {
  const run = new Set(ours(containers).map(({ args }) => args[0]));
  expect([...run].sort()).toEqual([...SERVICE_NAMES].sort());
});

const CONTAINERS = Object.entries(FILES).flatMap(([file, containers]) => ours(containers).map((container) => ({ file, name: container.name, container })));

describe.each(CONTAINERS)('$name in $file', ({ container }) => {
  const service = container.args[0] as ServiceName;
  const settings = Object.fromEntries(Object.entries(container.environment).filter(([variable]) => !NOT_SETTINGS.includes(variable)));

  test('runs one service, named by its only argument', () => {
    expect(container.args).toEqual([service]);
    expect(SERVICE_NAMES).toContain(service);
  });

  test('has a valid configuration, every variable documented', () => {
    expect(Object.keys(settings).filter((variable) => !DOCUMENTED.has(variable))).toEqual([]);
    expect(() => loadConfiguration({ ...imageDefaults().environment, ...settings })).not.toThrow();
  });

  test('may listen where it listens: with TLS, or because it is said that plain text is meant', () => {
    const { host, insecure, tlsCert } = loadConfiguration(settings);
    expect(host).toBe('0.0.0.0');
    expect(insecure).toBe(tlsCert === undefined);
  });

  test('is given the secrets that it uses, and no others', () => {
    const surroundings = { logUrl: 'log', readUrl: 'read', natsUrl: 'nats', keyringSecret: 'keyring' };
    const needed = Object.entries(environmentFor(service, surroundings, {})).filter(([, value]) => Object.values(surroundings).includes(value));
    expect([...container.secretVariables].sort()).toEqual(needed.map(([variable]) => variable).sort());
  });

  test('has no secret in plain text', () => {
    const holdsSecret = (variable: string): boolean => {
      const setting = (Object.keys(SETTINGS) as SettingName[]).find((name) => environmentName(name) === variable);
      return (setting !== undefined && SETTINGS[setting].secret) || /:\/\/[^/]*@/.test(container.environment[variable] ?? '');
    };
    const secrets = Object.keys(container.environment).filter(holdsSecret);
    expect(secrets.filter((variable) => !container.secretVariables.includes(variable))).toEqual([]);
  });

  test('is asked for the health of the service that it runs, by the image’s own program', () => {
    const asked = Object.values(container.probes);
    expect(asked.length).toBeGreaterThan(0);
    for (const command of asked) expect(command.slice(0, 3)).toEqual(['sluice', 'health', service]);
  });

  test('has the time to stop in order', () => {
    const { shutdownGraceMs } = loadConfiguration(settings);
    expect(container.stopSeconds).toBeGreaterThan(shutdownGraceMs / 1_000 + HANDING_OVER_SECONDS);
  });

  test('listens on its well-known port', () => {
    expect(loadConfiguration(settings).port ?? WELL_KNOWN_PORTS[service]).toBe(WELL_KNOWN_PORTS[service]);
  });
});

test.each(Object.entries(FILES))('%s: command instances tell the others an address of their own', (file, containers) => {
  const addresses = ours(containers).filter(({ args }) => args[0] === 'command');
  for (const { name, environment } of addresses) {
    const expected = file === 'compose.yaml' ? `${name}:7400` : 'command-0.command-peers.sluice.svc:7400';
    expect(environment['SLUICE_ADVERTISED_ADDRESS']).toBe(expected);
  }
});

describe('the table of processes in docs/running-distributed.md', () => {
  const rows = readFileSync(join(ROOT, 'docs/running-distributed.md'), 'utf8')
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter(([, service = '']) => SERVICE_NAMES.includes(service as ServiceName));

  test.each(rows.map(([, service = '', startedBy = '', port = '', connections = '']) => ({ service, startedBy, port, connections })))(
    '$service: $connections',
    ({ service, startedBy, port, connections }) => {
      expect(startedBy).toContain(`apps/${service}/dist/main.js`);
      expect(Number(port)).toBe(WELL_KNOWN_PORTS[service as ServiceName]);
      const environment = environmentFor(service as ServiceName, { logUrl: 'log', readUrl: 'read', natsUrl: 'nats', keyringSecret: 'keyring' }, {});
      const connectsTo = { log: 'SLUICE_LOG_URL', 'read store': 'SLUICE_READ_URL', NATS: 'SLUICE_NATS_URL' };
      for (const [words, variable] of Object.entries(connectsTo)) {
        expect({ words, named: new RegExp(`\\b${words}\\b`).test(connections) }).toEqual({ words, named: variable in environment });
      }
    },
  );

  test('has a row for each service', () => {
    expect(rows.map(([, service]) => service).sort()).toEqual([...SERVICE_NAMES].sort());
  });
});
