/** Processes that cannot start as they should: one clear line each, no secret in it; what passes is waited for. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, status } from '@grpc/grpc-js';
import { freePort, haveServer, type RunningServer, startMongo, startNats } from '@sluice/infra';
import { healthpb } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { ServiceChild } from './service-child';
import type { ServiceName } from './service-name';

const possible = haveServer('nats') && haveServer('mongodb');
const PASSWORD = 'pass-word-of-nats';
const SECRET = 'secret-of-the-keyring-1';
const CONFIGURATION_EXIT = 'exit code 78';
/** A driver waits this long for a server before it says that there is none. */
const QUICKLY = '?serverSelectionTimeoutMS=500';

(possible ? describe : describe.skip)('a process that cannot start', () => {
  let folder: string;
  let nats: RunningServer;
  let mongodb: RunningServer;
  const children: ServiceChild[] = [];
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-bad-start-'));
    nats = await startNats({ dataDir: join(folder, 'nats'), external: false, configuration: `authorization { user: "sluice", password: "${PASSWORD}" }` });
    mongodb = await startMongo({ dataDir: join(folder, 'mongodb'), external: false });
  });
  afterEach(() => Promise.all(children.splice(0).map((child) => child.stop())));
  afterAll(async () => {
    await Promise.all([nats.stop(), mongodb.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  interface Attempt {
    readonly child: ServiceChild;
    readonly lines: string[];
    /** How it ended. */
    readonly ended: Promise<string>;
    said(text: string): Promise<void>;
  }

  const natsUrl = (password = PASSWORD): string => nats.url.replace('nats://', `nats://sluice:${password}@`);

  function attempt(service: ServiceName, environment: Record<string, string>): Attempt {
    const lines: string[] = [];
    let died = (_how: string): void => undefined;
    const ended = new Promise<string>((resolve) => {
      died = resolve;
    });
    const path = process.env['PATH'] ?? '';
    const child = new ServiceChild({
      service,
      name: `${service}-1`,
      port: 0,
      environment: { PATH: path, SLUICE_METRICS_PORT: 'off', ...environment },
      onLine: (_name, line) => lines.push(line),
      onDeath: (_child, how) => died(how),
    });
    children.push(child);
    const said = async (text: string): Promise<void> => {
      const untilMs = Date.now() + 20_000;
      while (!lines.some((line) => line.includes(text))) {
        if (Date.now() > untilMs) throw new Error(`it did not say ${text}, but:\n${lines.join('\n')}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    return { child, lines, ended, said };
  }

  test.each`
    service        | environment                                          | says
    ${'command'}   | ${{}}                                                | ${'SLUICE_KEYRING_SECRET must be given'}
    ${'command'}   | ${{ SLUICE_KEYRING_SECRET: SECRET }}                 | ${'SLUICE_LOG_URL or SLUICE_MONGODB_URL must be given'}
    ${'query'}     | ${{ SLUICE_LOG_URL: 'mongodb://127.0.0.1/sluice' }}  | ${'SLUICE_READ_URL or SLUICE_MONGODB_URL must be given'}
    ${'scheduler'} | ${{}}                                                | ${'SLUICE_KEYRING_SECRET must be given'}
    ${'scheduler'} | ${{ SLUICE_KEYRING_SECRET: SECRET }}                 | ${'SLUICE_NATS_URL must be given'}
    ${'query'}     | ${{ SLUICE_READ_ULR: 'mongodb://127.0.0.1/sluice' }} | ${'did you mean SLUICE_READ_URL?'}
    ${'query'}     | ${{ SLUICE_HOST: '0.0.0.0' }}                        | ${'refusing to listen on 0.0.0.0 in plain text'}
  `(
    '$service with $environment ends with one line: $says',
    async ({ service, environment, says }: { service: ServiceName; environment: Record<string, string>; says: string }) => {
      const { child, lines, ended } = attempt(service, environment);
      await child.start().catch(() => undefined);
      expect(await ended).toBe(CONFIGURATION_EXIT);
      const fatal = lines.filter((line) => line.includes('"level":"fatal"'));
      expect(fatal).toHaveLength(1);
      expect(fatal[0]).toContain(says);
    },
  );

  test('wrong credentials of NATS end it, and are not in what it says', async () => {
    const wrong = 'not-the-pass-word';
    const { child, lines, ended } = attempt('scheduler', { SLUICE_NATS_URL: natsUrl(wrong), SLUICE_KEYRING_SECRET: SECRET });
    await child.start().catch(() => undefined);
    expect(await ended).toBe(CONFIGURATION_EXIT);
    expect(lines.at(-1)).toMatch(/NATS at nats:\/\/127\.0\.0\.1:\d+.*(authorization|credentials)/i);
    expect(lines.join('\n')).not.toContain(wrong);
  });

  test('another number of partitions than the log was made with is refused', async () => {
    const environment = { SLUICE_MONGODB_URL: mongodb.url, SLUICE_NATS_URL: natsUrl(), SLUICE_KEYRING_SECRET: SECRET };
    const first = attempt('command', { ...environment, SLUICE_SERVERS: '1', SLUICE_CONTAINERS: '2' });
    await first.child.start();
    await first.child.untilServing();
    const second = attempt('command', { ...environment, SLUICE_SERVERS: '1', SLUICE_CONTAINERS: '3' });
    await second.child.start();
    expect(await second.ended).toBe(CONFIGURATION_EXIT);
    expect(second.lines.at(-1)).toContain('was made with 2 partitions, the configuration makes 3');
    const third = attempt('command', { ...environment, SLUICE_CONTAINERS: '2', SLUICE_KEYRING_SECRET: 'not-that-of-the-first' });
    await third.child.start();
    expect(await third.ended).toMatch(/exit code/);
    expect(third.lines.at(-1)).toContain('sealed under another secret');
    expect([...first.lines, ...second.lines, ...third.lines].join('\n')).not.toMatch(new RegExp(`${SECRET}|${PASSWORD}|not-that-of-the-first`));
  });

  test('servers that are not there yet are waited for: it listens, says what it waits for, refuses calls, and serves once they are there', async () => {
    const port = await freePort();
    const { child, said, lines } = attempt('command', {
      SLUICE_MONGODB_URL: `mongodb://127.0.0.1:${port}/waited${QUICKLY}`,
      SLUICE_NATS_URL: natsUrl(),
      SLUICE_KEYRING_SECRET: SECRET,
      SLUICE_DEPLOYMENT: 'waited',
    });
    await child.start();
    await said(`waiting for MongoDB at mongodb://127.0.0.1:${port}/waited`);
    expect(await refusalOf(child.address)).toMatchObject({ code: status.UNAVAILABLE, details: expect.stringContaining('starting') });
    expect(await healthOf(child.address)).toBe(healthpb.HealthCheckResponse_ServingStatus.NOT_SERVING);
    const late = await startMongo({ dataDir: join(folder, 'late'), port, external: false });
    try {
      await child.untilServing();
      expect(lines.filter((line) => line.includes('waiting for')).length).toBeGreaterThan(0);
      await child.stop();
    } finally {
      await late.stop();
    }
  });

  test('one that waits stops at once when it is asked to', async () => {
    const { child, said, lines } = attempt('query', { SLUICE_READ_URL: `mongodb://127.0.0.1:${await freePort()}/never${QUICKLY}` });
    await child.start();
    await said('waiting for');
    await child.stop();
    expect(lines.at(-1)).toContain('"message":"stopped"');
  });
});

function refusalOf(address: string): Promise<unknown> {
  const client = new accountpb.AccountCommandServiceClient(address, credentials.createInsecure());
  return new Promise((resolve) => client.post(accountpb.PostRequest.fromPartial({}), (error) => resolve(error))).finally(() => client.close());
}

function healthOf(address: string): Promise<healthpb.HealthCheckResponse_ServingStatus | undefined> {
  const client = new healthpb.HealthClient(address, credentials.createInsecure());
  return new Promise<healthpb.HealthCheckResponse_ServingStatus | undefined>((resolve) =>
    client.check({ service: '' }, (_error, response) => resolve(response?.status)),
  ).finally(() => client.close());
}
