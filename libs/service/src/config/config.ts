/**
 * The configuration of a process: the environment over a file (SLUICE_CONFIG, JSON) over the defaults. It is read once, at
 * start; whatever is wrong with it is said in one go, every key by its name, and nothing starts.
 */
import { readFileSync } from 'node:fs';
import { protectSecret } from '@sluice/telemetry';
import { nearestName } from './nearest-name';
import { type Configuration, environmentName, SETTING_NAMES, type SettingName, SETTINGS } from './settings';

/** What a process should exit with when its configuration is wrong (EX_CONFIG of sysexits.h). */
export const CONFIGURATION_EXIT_CODE = 78;

const FILE_VARIABLE = 'SLUICE_CONFIG';
/** Variables of tests and benchmarks are not settings. */
const FOREIGN_PREFIXES = ['SLUICE_TEST_', 'SLUICE_BENCH_'];
const MINIMUM_PARTITIONS = 2;
const MAXIMUM_PARTITIONS = 4_096;

export class ConfigurationError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`the configuration is wrong: ${problems.join('; ')}`);
    this.name = 'ConfigurationError';
  }
}

/**
 * Throws ConfigurationError. Secrets in it are masked in every log line from now on.
 *
 * @param overrides what the command line says; goes before everything else.
 */
export function loadConfiguration(environment: Readonly<Record<string, string | undefined>>, overrides: Partial<Configuration> = {}): Configuration {
  const problems: string[] = [];
  const given = new Map<SettingName, Given>();
  readFile(environment[FILE_VARIABLE], given, problems);
  readEnvironment(environment, given, problems);
  for (const name of SETTING_NAMES) {
    if (overrides[name] !== undefined)
      given.set(name, { source: `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, value: overrides[name] });
  }

  const values: Record<string, unknown> = {};
  for (const name of SETTING_NAMES) {
    const found = given.get(name);
    const { type, secret } = SETTINGS[name];
    const parsed = type.safeParse(found?.value);
    if (parsed.success) values[name] = parsed.data;
    else problems.push(`${found?.source ?? name} must be ${parsed.error.issues[0]?.message ?? 'another value'}${secret ? '' : `, not ${shown(found?.value)}`}`);
  }
  if (problems.length === 0) checkTogether(values as Configuration, problems);
  if (problems.length > 0) throw new ConfigurationError(problems);

  const configuration = Object.freeze(values) as Configuration;
  protectSecretsOf(configuration);
  return configuration;
}

/** Number of partitions: fixed for ever with the first data. */
export function partitionsOf(configuration: Pick<Configuration, 'servers' | 'containers'>): number {
  return configuration.servers * configuration.containers;
}

/** The configuration as it may be shown: secrets are masked, and the user and password of URLs. */
export function shownConfiguration(configuration: Configuration): Record<string, unknown> {
  const entries = SETTING_NAMES.map((name) => {
    const value: unknown = configuration[name];
    if (value === undefined) return [name, undefined];
    if (SETTINGS[name].secret) return [name, '[redacted]'];
    return [name, typeof value === 'string' ? value.replace(/^([a-z+]+:\/\/)[^@/]*@/, '$1[redacted]@') : value];
  });
  return Object.fromEntries(entries) as Record<string, unknown>;
}

interface Given {
  /** Where it stands, as the person who wrote it knows it. */
  readonly source: string;
  readonly value: unknown;
}

function readFile(path: string | undefined, given: Map<SettingName, Given>, problems: string[]): void {
  if (path === undefined || path === '') return;
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    // What JSON.parse says quotes the file, which may hold secrets.
    const { code } = cause as NodeJS.ErrnoException;
    problems.push(`${FILE_VARIABLE}: ${path} ${code === undefined ? 'is not JSON' : `cannot be read (${code})`}`);
    return;
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    problems.push(`${FILE_VARIABLE}: ${path} must hold one JSON object`);
    return;
  }
  for (const [key, value] of Object.entries(content)) {
    if (isSettingName(key)) given.set(key, { source: `"${key}" in ${path}`, value });
    else problems.push(unknown(`"${key}" in ${path}`, nearestName(key, SETTING_NAMES)));
  }
}

function readEnvironment(environment: Readonly<Record<string, string | undefined>>, given: Map<SettingName, Given>, problems: string[]): void {
  const nameOf = new Map(SETTING_NAMES.map((name) => [environmentName(name), name]));
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith('SLUICE_') || variable === FILE_VARIABLE || FOREIGN_PREFIXES.some((prefix) => variable.startsWith(prefix))) continue;
    const name = nameOf.get(variable);
    if (name === undefined) problems.push(unknown(variable, nearestName(variable, [...nameOf.keys(), FILE_VARIABLE])));
    // An empty variable is how an environment says "not set".
    else if (value !== undefined && value !== '') given.set(name, { source: variable, value });
  }
}

function checkTogether(configuration: Configuration, problems: string[]): void {
  const partitions = partitionsOf(configuration);
  if (partitions < MINIMUM_PARTITIONS || partitions > MAXIMUM_PARTITIONS) {
    problems.push(`SLUICE_SERVERS × SLUICE_CONTAINERS must be ${MINIMUM_PARTITIONS} to ${MAXIMUM_PARTITIONS}, not ${partitions}`);
  }
  const { queueBytes, maxMessageBytes } = configuration;
  if (queueBytes < maxMessageBytes) {
    problems.push(`SLUICE_QUEUE_BYTES (${queueBytes}) must be at least SLUICE_MAX_MESSAGE_BYTES (${maxMessageBytes}): a partition's queue must hold a message`);
  }
  const together = (first: SettingName, second: SettingName): void => {
    if (configuration[first] !== undefined && configuration[second] === undefined) problems.push(`${environmentName(first)} needs ${environmentName(second)}`);
  };
  together('tlsCert', 'tlsKey');
  together('tlsKey', 'tlsCert');
  together('tlsCa', 'tlsCert');
  together('peerCa', 'tlsCert');
  together('natsTlsCert', 'natsTlsKey');
  together('natsTlsKey', 'natsTlsCert');
  together('authJwks', 'authIssuer');
  together('authJwks', 'authAudience');
  together('authIssuer', 'authJwks');
  together('authAudience', 'authJwks');
  if (configuration.authJwks !== undefined && /^http:/i.test(configuration.authJwks))
    problems.push('SLUICE_AUTH_JWKS must be an https URL or a file: keys that come in plain text prove nothing');
}

function protectSecretsOf(configuration: Configuration): void {
  for (const name of SETTING_NAMES) {
    const value: unknown = configuration[name];
    if (typeof value !== 'string') continue;
    if (SETTINGS[name].secret) protectSecret(value);
    const password = /^[a-z+]+:\/\/[^:@/]*:([^@/]*)@/.exec(value)?.[1];
    if (password === undefined) continue;
    protectSecret(password);
    protectSecret(decodeURIComponent(password));
  }
}

function isSettingName(key: string): key is SettingName {
  return Object.hasOwn(SETTINGS, key);
}

function unknown(source: string, nearest: string | undefined): string {
  return `${source} is not a setting${nearest === undefined ? '' : `; did you mean ${nearest}?`}`;
}

/** A wrong value, short and without what might be a password in a URL. */
function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? 'nothing';
  const clean = json.replace(/:\/\/[^@"]*@/, '://[redacted]@');
  return clean.length <= 60 ? clean : `${clean.slice(0, 57)}…`;
}
