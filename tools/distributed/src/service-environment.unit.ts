import { environmentFor } from './service-environment';
import type { ServiceName } from './service-name';

const SURROUNDINGS = { logUrl: 'mongodb://log', readUrl: 'mongodb://read', natsUrl: 'nats://bus', keyringSecret: 'the secret of the keyring' };
const CONNECTIONS = ['SLUICE_LOG_URL', 'SLUICE_READ_URL', 'SLUICE_MONGODB_URL', 'SLUICE_NATS_URL', 'SLUICE_KEYRING_SECRET'];

const before = { ...process.env };
beforeEach(() =>
  Object.assign(process.env, { SLUICE_MONGODB_URL: 'mongodb://everything', SLUICE_KEYRING_SECRET: 'of the shell, too long', SLUICE_TURN_COMMANDS: '500' }),
);
afterEach(() => {
  process.env = { ...before };
});

test.each`
  service        | gets
  ${'command'}   | ${['SLUICE_LOG_URL', 'SLUICE_READ_URL', 'SLUICE_NATS_URL', 'SLUICE_KEYRING_SECRET']}
  ${'query'}     | ${['SLUICE_READ_URL']}
  ${'projector'} | ${['SLUICE_LOG_URL', 'SLUICE_READ_URL', 'SLUICE_NATS_URL']}
  ${'scheduler'} | ${['SLUICE_NATS_URL', 'SLUICE_KEYRING_SECRET']}
`('$service gets $gets and no other way to data', ({ service, gets }: { service: ServiceName; gets: string[] }) => {
  const environment = environmentFor(service, SURROUNDINGS, {});
  expect(CONNECTIONS.filter((name) => name in environment)).toEqual(gets);
});

test('settings of the shell are passed on, and what the caller says goes before them', () => {
  const environment = environmentFor('query', SURROUNDINGS, { SLUICE_TURN_COMMANDS: '7', SLUICE_LOG_LEVEL: 'warn' });
  expect(environment).toMatchObject({ SLUICE_TURN_COMMANDS: '7', SLUICE_LOG_LEVEL: 'warn', PATH: process.env['PATH'] });
});
