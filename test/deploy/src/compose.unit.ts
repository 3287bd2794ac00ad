/** deploy/compose.yaml beyond what each of our containers is: its secrets, its hardening, its database users, what waits for what. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMPOSE_TEXT, composeContainers, composeServices, composeVariables } from './compose-file';
import { OUR_IMAGE, secretFor } from './container';
import { DEPLOY } from './deploy-folder';
import { FakeReplicaSet, runMongoInit } from './mongo-init-script';

const services = Object.entries(composeServices).map(([name, service]) => ({ name, service }));
const ours = services.filter(({ service }) => service.image === OUR_IMAGE);

test('every variable is required, so that no password is empty or a default', () => {
  expect(COMPOSE_TEXT.match(/(?<!\$)\$\{[^}]*\}/g)?.filter((variable) => !/^\$\{[A-Z_]+:\?\}$/.test(variable))).toEqual([]);
});

test('deploy/README.md tells how to make every secret, and no other', () => {
  const readme = readFileSync(join(DEPLOY, 'README.md'), 'utf8');
  const [, names = ''] = /for name in ([A-Z_ ]+); do/.exec(readme) ?? [];
  expect(names.split(' ').sort()).toEqual(composeVariables);
});

test.each(services)('$name: no secret in plain text, and none where every process can read it', ({ service }) => {
  for (const [name, value] of Object.entries(service.environment ?? {})) {
    if (/PASSWORD|SECRET|KEY|TOKEN/.test(name)) expect(value).toMatch(/^\$\{[A-Z_]+:\?\}$/);
    const [, password] = /:\/\/[^/@:]*:([^@]*)@/.exec(value) ?? [];
    if (password !== undefined) expect(password).toMatch(/^\$\{[A-Z_]+:\?\}$/);
  }
  // Command lines can be read by every process of the machine; `$$` is a variable of the container, not its value.
  expect(JSON.stringify([service.command, service.entrypoint, service.healthcheck]).replaceAll('$$', '')).not.toContain('${');
});

test.each(ours)('$name can change nothing but its memory: read-only, without capabilities, without new privileges', ({ service }) => {
  expect(service).toMatchObject({
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    mem_limit: expect.stringMatching(/^\d+[mg]$/),
  });
  expect(service.volumes).toBeUndefined();
});

test.each(services)('$name gains no privileges and starts again', ({ name, service }) => {
  expect(service.security_opt).toEqual(['no-new-privileges:true']);
  expect(service.restart).toBe(name === 'mongo-init' ? 'on-failure' : 'unless-stopped');
});

test.each(services)('$name publishes its ports on loopback only', ({ service }) => {
  for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:(\d+):\1$/);
});

test.each(services)('$name waits for what is there, and mounts files that are there', ({ service }) => {
  expect(Object.keys(service.depends_on ?? {}).filter((other) => !(other in composeServices))).toEqual([]);
  const files = (service.volumes ?? []).map((volume) => volume.split(':')[0] ?? '').filter((from) => from.startsWith('./'));
  expect(files.filter((file) => !existsSync(join(DEPLOY, file)))).toEqual([]);
});

test('the image is built from the repository by its Dockerfile', () => {
  for (const { service } of ours) {
    const { context, dockerfile } = service.build ?? { context: '', dockerfile: '' };
    expect(existsSync(join(DEPLOY, context, dockerfile))).toBe(true);
  }
});

const ROLE_FOR: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  command: { SLUICE_LOG_URL: 'readWrite', SLUICE_READ_URL: 'readWrite' },
  projector: { SLUICE_LOG_URL: 'read', SLUICE_READ_URL: 'readWrite' },
  query: { SLUICE_READ_URL: 'readWrite' },
  scheduler: {},
};

describe('the users that mongo-init makes are those by which the services come', () => {
  const set = new FakeReplicaSet();
  const init = composeContainers().find(({ name }) => name === 'mongo-init');
  runMongoInit(set, init?.environment ?? {});
  const urls = composeContainers()
    .filter(({ image }) => image === OUR_IMAGE)
    .flatMap(({ name, args, environment }) =>
      Object.entries(environment)
        .filter(([, value]) => value.startsWith('mongodb://'))
        .map(([variable, url]) => ({ name, variable, url, role: ROLE_FOR[args[0] ?? '']?.[variable] })),
    );

  test.each(urls)('$name, $variable: $role', ({ url, role }) => {
    const [, user = '', password, hosts = '', database = '', replicaSet] = /^mongodb:\/\/(\w+):([\w-]+)@([\w,-]+)\/(\w+)\?replicaSet=(\w+)$/.exec(url) ?? [];
    expect(set.users.get(`${database}.${user}`)).toEqual({ pwd: password, roles: [{ role, db: database }] });
    expect(hosts.split(',').map((host) => `${host}:27017`)).toEqual(set.members);
    expect(replicaSet).toBe(set.name);
  });

  test('each has a password of its own', () => {
    const passwords = [...set.users.values()].map(({ pwd }) => pwd);
    expect(new Set(passwords).size).toBe(passwords.length);
    expect(passwords).not.toContain(secretFor('MONGO_ROOT_PASSWORD'));
  });

  test('the members of the set are services of the file', () => {
    expect(set.members.filter((member) => !(member.replace(':27017', '') in composeServices))).toEqual([]);
  });
});
