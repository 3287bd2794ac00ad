import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forgetSecrets, redact } from '@sluice/telemetry';
import { ConfigurationError, loadConfiguration, partitionsOf, shownConfiguration } from './config';
import { environmentName, SETTING_NAMES, SETTINGS } from './settings';

const DOCUMENT = join(__dirname, '..', '..', '..', '..', 'docs', 'configuration.md');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-config-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(forgetSecrets);

function file(content: string): string {
  const path = join(folder, 'config.json');
  writeFileSync(path, content);
  return path;
}

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadConfiguration(environment);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

test('docs/configuration.md is the table of settings, row by row', () => {
  const rows = readFileSync(DOCUMENT, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `SLUICE_') && !line.startsWith('| `SLUICE_CONFIG`'));
  expect(rows).toEqual(
    SETTING_NAMES.map((name) => `| \`${environmentName(name)}\` | \`${name}\` | ${SETTINGS[name].defaultText} | ${SETTINGS[name].meaning} |`),
  );
});

test('without anything the defaults hold', () => {
  const configuration = loadConfiguration({ PATH: '/bin', HOME: '/root' });
  expect(configuration).toMatchObject({
    host: '127.0.0.1',
    dataDir: '.sluice',
    servers: 1,
    containers: 4,
    insecure: false,
    pool: 'auto',
    maxMessageBytes: 8_388_608,
    logLevel: 'info',
  });
  expect(configuration.port).toBeUndefined();
  expect(configuration.logUrl).toBeUndefined();
  expect(partitionsOf(configuration)).toBe(4);
  expect(Object.isFrozen(configuration)).toBe(true);
});

test('the command line goes before the environment, the environment before the file', () => {
  const SLUICE_CONFIG = file('{"port": 1, "servers": 2, "insecure": true, "logUrl": "mongodb://log"}');
  const configuration = loadConfiguration({ SLUICE_CONFIG, SLUICE_PORT: '2', SLUICE_SERVERS: '3' }, { port: 0 });
  expect(configuration).toMatchObject({ port: 0, servers: 3, insecure: true, logUrl: 'mongodb://log' });
});

test('an empty variable is not set; variables of tests and benchmarks are not settings', () => {
  expect(loadConfiguration({ SLUICE_HOST: '', SLUICE_TEST_DATA: '/data', SLUICE_BENCH_POSTGRES_URL: 'x' }).host).toBe('127.0.0.1');
});

test.each`
  environment                                           | problem
  ${{ SLUICE_PROT: '1' }}                               | ${'SLUICE_PROT is not a setting; did you mean SLUICE_PORT?'}
  ${{ SLUICE_DATADIR: 'x' }}                            | ${'SLUICE_DATADIR is not a setting; did you mean SLUICE_DATA_DIR?'}
  ${{ SLUICE_COFNIG: 'x' }}                             | ${'SLUICE_COFNIG is not a setting; did you mean SLUICE_CONFIG?'}
  ${{ SLUICE_SOMETHING_ELSE: 'x' }}                     | ${'SLUICE_SOMETHING_ELSE is not a setting'}
  ${{ SLUICE_PORT: '70000' }}                           | ${'SLUICE_PORT must be a whole number from 0 to 65535, not "70000"'}
  ${{ SLUICE_PORT: 'http' }}                            | ${'SLUICE_PORT must be a whole number from 0 to 65535, not "http"'}
  ${{ SLUICE_PORT: '7400.5' }}                          | ${'SLUICE_PORT must be a whole number from 0 to 65535, not "7400.5"'}
  ${{ SLUICE_INSECURE: 'perhaps' }}                     | ${'SLUICE_INSECURE must be true or false, not "perhaps"'}
  ${{ SLUICE_POOL: 'sometimes' }}                       | ${'SLUICE_POOL must be one of auto, always, off, not "sometimes"'}
  ${{ SLUICE_METRICS_PORT: 'on' }}                      | ${'SLUICE_METRICS_PORT must be a port from 0 to 65535, or off, not "on"'}
  ${{ SLUICE_LOG_URL: 'postgres://u:hunter2@h/d' }}     | ${'SLUICE_LOG_URL must be a URL that starts with mongodb:// or mongodb+srv://, not "postgres://[redacted]@h/d"'}
  ${{ SLUICE_NATS_URL: 'nats://u:hunter2%zz@h' }}       | ${'SLUICE_NATS_URL must be a URL in whose user and password each % is followed by two hexadecimal digits (% itself is %25), not "nats://[redacted]@h"'}
  ${{ SLUICE_MONGODB_URL: 'mongodb://u:hunter2%zz@h' }} | ${'SLUICE_MONGODB_URL must be a URL in whose user and password each % is followed by two hexadecimal digits (% itself is %25), not "mongodb://[redacted]@h"'}
  ${{ SLUICE_LOG_URL: 'mongodb://u:hunter2%zz@h' }}     | ${'SLUICE_LOG_URL must be a URL in whose user and password each % is followed by two hexadecimal digits (% itself is %25), not "mongodb://[redacted]@h"'}
  ${{ SLUICE_READ_URL: 'mongodb://u:hunter2%zz@h' }}    | ${'SLUICE_READ_URL must be a URL in whose user and password each % is followed by two hexadecimal digits (% itself is %25), not "mongodb://[redacted]@h"'}
  ${{ SLUICE_NATS_URL: 'nats://u:hunter2%ff@h' }}       | ${'SLUICE_NATS_URL must be a URL in whose user and password each % is followed by two hexadecimal digits (% itself is %25), not "nats://[redacted]@h"'}
  ${{ SLUICE_NATS_URL: 'ws://h:1' }}                    | ${'SLUICE_NATS_URL must be a URL that starts with nats:// or tls://, not "ws://h:1"'}
  ${{ SLUICE_KEYRING_SECRET: 'tooshort' }}              | ${'SLUICE_KEYRING_SECRET must be at least 16 characters'}
  ${{ SLUICE_SERVERS: '1', SLUICE_CONTAINERS: '1' }}    | ${'SLUICE_SERVERS × SLUICE_CONTAINERS must be 2 to 4096, not 1'}
  ${{ SLUICE_MAX_MESSAGE_BYTES: '67108864' }}           | ${"SLUICE_QUEUE_BYTES (33554432) must be at least SLUICE_MAX_MESSAGE_BYTES (67108864): a partition's queue must hold a message"}
  ${{ SLUICE_QUEUE_COMMANDS: '5000' }}                  | ${'SLUICE_QUEUE_COMMANDS must be a whole number from 10000 to 10000000, not "5000"'}
  ${{ SLUICE_TLS_CERT: 'a.pem' }}                       | ${'SLUICE_TLS_CERT needs SLUICE_TLS_KEY'}
  ${{ SLUICE_AUTH_AUDIENCE: 'sluice' }}                 | ${'SLUICE_AUTH_AUDIENCE needs SLUICE_AUTH_JWKS'}
  ${{ SLUICE_CONFIG: '/no/such/file.json' }}            | ${'SLUICE_CONFIG: /no/such/file.json cannot be read (ENOENT)'}
`('$environment: $problem', ({ environment, problem }: { environment: Record<string, string>; problem: string }) => {
  expect(problemsOf(environment)).toEqual([problem]);
});

test('JWKS in plain text are refused', () => {
  expect(problemsOf({ SLUICE_AUTH_JWKS: 'http://issuer/jwks', SLUICE_AUTH_ISSUER: 'i', SLUICE_AUTH_AUDIENCE: 'a' })).toEqual([
    expect.stringContaining('https URL'),
  ]);
});

test('everything that is wrong is said at once, wherever it stands', () => {
  const SLUICE_CONFIG = file('{"prot": 1, "servers": "many"}');
  expect(problemsOf({ SLUICE_CONFIG, SLUICE_HSOT: 'x', SLUICE_LOG_LEVEL: 'loud' })).toEqual([
    `"prot" in ${SLUICE_CONFIG} is not a setting; did you mean port?`,
    'SLUICE_HSOT is not a setting; did you mean SLUICE_HOST?',
    `"servers" in ${SLUICE_CONFIG} must be a whole number from 1 to 4096, not "many"`,
    'SLUICE_LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent, not "loud"',
  ]);
});

test.each(['[]', 'null', '"text"', '{'])('a file that holds %s is refused', (content) => {
  expect(problemsOf({ SLUICE_CONFIG: file(content) })).toEqual([expect.stringMatching(/must hold one JSON object|is not JSON/)]);
});

test('secrets are shown nowhere', () => {
  const configuration = loadConfiguration({
    SLUICE_KEYRING_SECRET: 'the-secret-of-the-keyring',
    SLUICE_MONGODB_URL: 'mongodb://admin:p%40ssw0rd@db/sluice',
  });
  const shown = JSON.stringify(shownConfiguration(configuration));
  expect(shown).not.toMatch(/the-secret|p%40ssw0rd/);
  expect(shown).toContain('mongodb://[redacted]@db/sluice');
  expect(redact('failed with the-secret-of-the-keyring and p@ssw0rd')).toBe('failed with [redacted] and [redacted]');
});
