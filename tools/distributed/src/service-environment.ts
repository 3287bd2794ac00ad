/**
 * What each service is told: only what it needs. Query gets the read store's URL and nothing else; only command and scheduler
 * get the secret of the keyring, by which command instances let them in.
 */
import type { ServiceName } from './service-name';

export interface Surroundings {
  readonly logUrl: string;
  readonly readUrl: string;
  readonly natsUrl: string;
  readonly keyringSecret: string;
}

/** Settings that this program decides, whatever the caller's shell says. */
const DECIDED_HERE = [
  'MONGODB_URL',
  'LOG_URL',
  'READ_URL',
  'NATS_URL',
  'KEYRING_SECRET',
  'PORT',
  'INSTANCE_ID',
  'ADVERTISED_ADDRESS',
  'METRICS_PORT',
  'TARGET',
  'TOKEN',
];

export function environmentFor(service: ServiceName, surroundings: Surroundings, overrides: Readonly<Record<string, string>>): Record<string, string> {
  const { logUrl, readUrl, natsUrl, keyringSecret } = surroundings;
  const inherited = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !DECIDED_HERE.some((name) => entry[0] === `SLUICE_${name}`),
  );
  const needed: Record<ServiceName, Record<string, string>> = {
    command: { SLUICE_LOG_URL: logUrl, SLUICE_READ_URL: readUrl, SLUICE_NATS_URL: natsUrl, SLUICE_KEYRING_SECRET: keyringSecret },
    query: { SLUICE_READ_URL: readUrl },
    projector: { SLUICE_LOG_URL: logUrl, SLUICE_READ_URL: readUrl, SLUICE_NATS_URL: natsUrl },
    scheduler: { SLUICE_NATS_URL: natsUrl, SLUICE_KEYRING_SECRET: keyringSecret },
  };
  return { ...Object.fromEntries(inherited), SLUICE_METRICS_PORT: '0', ...needed[service], ...overrides };
}
