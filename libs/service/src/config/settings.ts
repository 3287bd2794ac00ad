/**
 * Every setting there is: the common ones, and behind them those that capabilities declare. The name in a configuration file is the key here; in
 * the environment it is SLUICE_ and the same words in capitals: `logUrl` is SLUICE_LOG_URL. docs/configuration.md is this table; a test compares
 * the two.
 */
import { LOG_LEVELS } from '@sluice/telemetry';
import type { z } from 'zod';
import { SERVICE_CAPABILITIES } from '../capabilities.generated';
import { declaredSettings, type DeclaredSettings } from './declared-settings';
import { optional, secret, type Setting, setting, type Settings } from './setting';
import { deploymentName, flag, hostAndPort, oneOf, portOrOff, text, urlOf, wholeNumber } from './values';

const MEBIBYTE = 1_024 * 1_024;

const COMMON_SETTINGS = {
  // Where it listens and what it is called.
  host: setting(text(), '127.0.0.1', 'Address to listen on. Beyond this machine only with TLS, or with `insecure`.'),
  port: optional(
    wholeNumber(0, 65_535),
    '7400; as processes of their own: command 7400, query 7401, projector 7402, scheduler 7403',
    'Port to listen on; 0: any free one.',
  ),
  insecure: setting(flag(), false, 'Listen beyond this machine in plain text: for networks that are protected otherwise.'),
  instanceId: optional(text(), 'made at every start', 'Name of this instance in leases, logs and traces.'),
  advertisedAddress: optional(hostAndPort(), '`host` and the port in use', 'HOST:PORT under which the other instances reach this one.'),
  shutdownGraceMs: setting(wholeNumber(0, 600_000), 10_000, 'How long calls in flight may take to finish when the process stops, in milliseconds.'),

  // Where data is.
  dataDir: setting(text(), '.sluice', 'Folder of the embedded stores and the keyring.'),
  servers: setting(wholeNumber(1, 4_096), 1, 'With `containers`: the number of partitions is servers × containers, fixed once there is data.'),
  containers: setting(wholeNumber(1, 4_096), 4, 'See `servers`. The product is 2 to 4,096.'),
  mongodbUrl: optional(
    urlOf('mongodb', 'mongodb+srv'),
    'none: SQLite in `dataDir`',
    'MongoDB for log and read store both, unless they have URLs of their own.',
  ),
  logUrl: optional(urlOf('mongodb', 'mongodb+srv'), '`mongodbUrl`', 'MongoDB of the event log. Query never uses it.'),
  readUrl: optional(urlOf('mongodb', 'mongodb+srv'), '`mongodbUrl`', 'MongoDB of the read store.'),
  natsUrl: optional(urlOf('nats', 'tls'), 'none: commits travel in the process', 'NATS with JetStream: bus and leases.'),
  deployment: setting(deploymentName(), 'main', 'Name of this deployment: those that share NATS servers have streams, subjects and leases of their own.'),
  natsCredentials: optional(text(), 'none', 'File with NATS credentials (.creds).'),
  natsTlsCa: optional(text(), "the system's", 'File with the CA of the NATS servers.'),
  natsTlsCert: optional(text(), 'none', 'File with the client certificate for NATS.'),
  natsTlsKey: optional(text(), 'none', 'File with the key of `natsTlsCert`.'),
  keyringSecret: secret(
    text(16),
    'the file `keyring.key` in `dataDir`, made at the first start',
    'Secret that seals the signing keys of accounts at rest, and by which command instances and the scheduler prove themselves to command instances; 16 characters or more.',
  ),

  missingKeys: setting(
    oneOf(['refuse', 'accept']),
    'refuse',
    'Whether accounts are served whose signing keys the keyring lacks. refuse: the server does not start; see docs/signatures.md. accept: their signed postings are refused with `SIGNING_KEY_MISSING`.',
  ),

  // Who may call.
  tlsCert: optional(text(), 'none: plain text', 'File with the certificate chain, PEM. Read again when it changes.'),
  tlsKey: optional(text(), 'none', 'File with the key of `tlsCert`, PEM.'),
  tlsCa: optional(text(), 'none: client certificates are not asked for', 'File with the CA of client certificates, PEM: mutual TLS.'),
  tlsClientCert: setting(oneOf(['required', 'optional']), 'required', 'With `tlsCa`: whether a caller must have a certificate.'),
  authFile: optional(text(), 'none', 'JSON file with static tokens, certificate names and their roles (docs/security.md). Read again when it changes.'),
  authJwks: optional(text(), 'none', 'JSON web key set that signs bearer tokens: an https URL, or a file.'),
  authIssuer: optional(text(), 'none; must be given with `authJwks`', 'Issuer (`iss`) that tokens must have.'),
  authAudience: optional(text(), 'none; must be given with `authJwks`', 'Audience (`aud`) that tokens must have.'),
  authRolesClaim: setting(text(), 'roles', 'Claim of a token that lists its roles.'),
  peerCa: optional(text(), "`tlsCa`, else the system's", 'File with the CA of the certificates of the other instances, PEM. Read again when it changes.'),
  peerToken: secret(text(16), 'none', 'Token by which this instance shows itself to the others; one of `authFile` with the role `peer`.'),
  rateLimitPerSecond: setting(wholeNumber(0, 10_000_000), 0, 'Calls per second and caller; 0: no limit.'),
  rateLimitBurst: optional(wholeNumber(1, 10_000_000), '`rateLimitPerSecond`', 'Calls that a caller may make at once after a pause.'),

  // Limits.
  maxMessageBytes: setting(
    wholeNumber(1_024, 64 * MEBIBYTE),
    8 * MEBIBYTE,
    'Largest message that is taken from callers; instances take up to 2 MiB from each other in any case.',
  ),
  maxConnections: setting(wholeNumber(1, 1_000_000), 10_000, 'Connections at a time; more are closed at once.'),
  maxStreamsPerConnection: setting(wholeNumber(1, 1_000_000), 1_000, 'Calls in flight on one connection; more wait at the caller.'),
  maxCalls: setting(wholeNumber(1, 10_000_000), 20_000, 'Calls in flight in the process; more are refused with `TOO_MANY_CALLS`.'),
  queueCommands: setting(
    wholeNumber(10_000, 10_000_000),
    50_000,
    'Commands that wait at one partition; beyond that the newest of the account or caller with the largest share are refused with `QUEUE_FULL`. At least 10,000: a batch has as many.',
  ),
  queueBytes: setting(
    wholeNumber(MEBIBYTE),
    32 * MEBIBYTE,
    'Bytes that wait at one partition; beyond that the newest of the account or caller with the largest share are refused with `QUEUE_FULL`. At least `maxMessageBytes`.',
  ),
  turnCommands: setting(wholeNumber(1, 100_000), 10_000, 'Commands of one turn at most.'),
  turnBytes: setting(wholeNumber(65_536, 12 * MEBIBYTE), 4 * MEBIBYTE, 'Bytes of one turn at most; a commit is about as large.'),
  snapshotBytes: setting(wholeNumber(MEBIBYTE), 48 * MEBIBYTE, 'Log bytes of a partition after which a snapshot is taken: more means longer starts.'),
  deliveryAttempts: setting(
    wholeNumber(1, 1_000_000),
    10,
    'How often a delivery is sent to a partition that answers but cannot decide it, before it is a dead letter; `deliveryBudgetMs` must be over, too.',
  ),
  deliveryBudgetMs: setting(
    wholeNumber(0, 86_400_000),
    60_000,
    'Milliseconds for which a delivery that cannot be decided is sent again before it is a dead letter; `deliveryAttempts` must be used up, too.',
  ),
  pool: setting(oneOf(['auto', 'always', 'off']), 'auto', 'Whether large turns are split over worker threads.'),
  poolThreads: optional(wholeNumber(1, 64), 'one less than the machine has processors, 1 to 8', 'Worker threads that large turns are split over.'),

  // Where the command line and the tools call.
  target: setting(hostAndPort(), '127.0.0.1:7400', 'HOST:PORT that the commands of `sluice` call.'),
  targetCa: optional(text(), 'none: plain text', 'File with the CA of `target`, PEM: call it by TLS.'),
  token: secret(text(16), 'none', 'Bearer token that the commands of `sluice` send.'),

  // What it says about itself.
  metricsPort: optional(portOrOff(), '`off`; as processes of their own: 9464', 'Port of the Prometheus endpoint; 0: any free one; off: none.'),
  metricsHost: setting(text(), '127.0.0.1', 'Address of the Prometheus endpoint, which is plain HTTP.'),
  logLevel: setting(oneOf(LOG_LEVELS), 'info', 'From which level on log lines are written.'),
} as const satisfies Settings;

type CapabilitySettingTypes = DeclaredSettings<typeof SERVICE_CAPABILITIES>;

export const SETTINGS: typeof COMMON_SETTINGS & CapabilitySettingTypes = {
  ...COMMON_SETTINGS,
  ...declaredSettings(SERVICE_CAPABILITIES, Object.keys(COMMON_SETTINGS)),
};

export type SettingName = keyof typeof SETTINGS;

/** The settings with their values. */
export type Configuration = { readonly [Name in SettingName]: z.output<(typeof SETTINGS)[Name]['type']> };

/** The values of the settings that capabilities declare. */
export type CapabilitySettings = {
  readonly [Name in keyof CapabilitySettingTypes]: CapabilitySettingTypes[Name] extends Setting<infer Value> ? Value : never;
};

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

/** SLUICE_LOG_URL for logUrl. */
export function environmentName(name: string): string {
  return `SLUICE_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
