import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { type ChannelCredentials, credentials as grpcCredentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { ManualClock } from '@sluice/memory';
import { healthpb, schedulerpb } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { createLogger } from '@sluice/telemetry';
import { CertificateAuthority } from '@sluice/testing';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import type { CallContext } from '../call-context';
import { ANYBODY, type Role } from '../caller';
import { loadConfiguration } from '../config/config';
import { serverOptionsOf } from '../config/server-options';
import { type ForwardedCall, HopProof } from '../hop-proof';
import { unary } from '../handlers';
import { type RunningServer, startServer } from '../server';
import { errorInfoOf } from '../sluice-error';
import { openSecurity, type Security } from './security';

const DAY_MS = 86_400_000;
const SHOP_TOKEN = 'shop-token-of-sixteen-or-more';
const OPERATOR_TOKEN = 'operator-token-of-sixteen-or-more';
const PEER_TOKEN = 'peer-token-of-sixteen-or-more';
const DEPLOYMENT = { SLUICE_KEYRING_SECRET: 'a-secret-of-the-deployment', SLUICE_DEPLOYMENT: 'test' };
const POST_BATCH = accountpb.AccountCommandServiceService.postBatch.path;
const GET_STATUS = schedulerpb.SchedulerServiceService.getStatus.path;

let folder: string;
let clock: ManualClock;
let logged: string;
let seen: CallContext | undefined;
const opened: { close(): void }[] = [];
const servers: RunningServer[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-security-test-'));
  clock = new ManualClock(Date.now() * 1_000);
  logged = '';
  seen = undefined;
});

afterEach(async () => {
  for (const part of opened.splice(0)) part.close();
  await Promise.all(servers.splice(0).map((server) => server.stop(0)));
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function callersFile(tokens: object[], certificates: object[] = []): string {
  return file('callers.json', JSON.stringify({ tokens, certificates }));
}

const CALLERS = [
  { name: 'shop', sha256: sha256(SHOP_TOKEN), roles: ['post', 'read'] },
  { name: 'operator', token: OPERATOR_TOKEN, roles: ['operate'] },
  { name: 'other-instance', token: PEER_TOKEN, roles: ['peer'] },
];

async function start(environment: Record<string, string>): Promise<{ server: RunningServer; security: Security }> {
  const logger = createLogger({ service: 'test', destination: { write: (line) => void (logged += line) } });
  const configuration = loadConfiguration(environment);
  const security = await openSecurity(configuration, clock, logger);
  opened.push(security);
  const commands = Object.keys(accountpb.AccountCommandServiceService).map((name) => [
    name,
    unary(async (_request: unknown, context: CallContext) => {
      seen = context;
      return { results: [], positionToken: '', acceptedCount: 0, result: undefined };
    }),
  ]);
  const server = await startServer({ ...serverOptionsOf(configuration, 0), logger, ...security.server }, [
    {
      name: 'sluice.account.v1.AccountCommandService',
      definition: accountpb.AccountCommandServiceService,
      implementation: Object.fromEntries(commands) as never,
    },
    {
      name: 'sluice.scheduler.v1.SchedulerService',
      definition: { getStatus: schedulerpb.SchedulerServiceService.getStatus },
      implementation: { getStatus: unary(async () => schedulerpb.GetStatusResponse.fromPartial({})) },
    },
  ]);
  servers.push(server);
  return { server, security };
}

interface CallOptions {
  readonly token?: string;
  readonly metadata?: Metadata;
  readonly channel?: ChannelCredentials;
}

/** "OK", or the reason of the refusal (its code where gRPC says no by itself). */
async function answerOf(
  call: (metadata: Metadata, done: (error: ServiceError | null) => void) => unknown,
  { token, metadata = new Metadata() }: CallOptions,
): Promise<string> {
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  const error = await new Promise<ServiceError | null>((resolve) => call(metadata, resolve));
  return error === null ? 'OK' : (errorInfoOf(error)?.reason ?? status[error.code]);
}

function post(server: RunningServer, options: CallOptions = {}): Promise<string> {
  const client = new accountpb.AccountCommandServiceClient(server.address, options.channel ?? grpcCredentials.createInsecure());
  opened.push(client);
  return answerOf((metadata, done) => client.postBatch({ postings: [], atomic: false }, metadata, done), options);
}

function operate(server: RunningServer, options: CallOptions = {}): Promise<string> {
  const client = new schedulerpb.SchedulerServiceClient(server.address, options.channel ?? grpcCredentials.createInsecure());
  opened.push(client);
  return answerOf((metadata, done) => client.getStatus({}, metadata, done), options);
}

describe('static tokens', () => {
  test.each`
    token                         | posting                | operating
    ${SHOP_TOKEN}                 | ${'OK'}                | ${'NOT_AUTHORIZED'}
    ${OPERATOR_TOKEN}             | ${'NOT_AUTHORIZED'}    | ${'OK'}
    ${PEER_TOKEN}                 | ${'NOT_AUTHORIZED'}    | ${'NOT_AUTHORIZED'}
    ${'a-token-that-nobody-gave'} | ${'NOT_AUTHENTICATED'} | ${'NOT_AUTHENTICATED'}
    ${undefined}                  | ${'NOT_AUTHENTICATED'} | ${'NOT_AUTHENTICATED'}
  `('$token: posting $posting, operating $operating', async ({ token, posting, operating }: Record<string, string>) => {
    const { server } = await start({ SLUICE_AUTH_FILE: callersFile(CALLERS) });
    expect(await post(server, { token })).toBe(posting);
    expect(await operate(server, { token })).toBe(operating);
  });

  test('the handler knows the caller by its name', async () => {
    const { server } = await start({ SLUICE_AUTH_FILE: callersFile(CALLERS) });
    await post(server, { token: SHOP_TOKEN });
    expect(seen?.caller).toEqual({ name: 'shop', roles: new Set(['post', 'read']) });
    expect(seen?.forwarded).toBe(false);
  });

  test('health is open to everybody', async () => {
    const { server } = await start({ SLUICE_AUTH_FILE: callersFile(CALLERS) });
    const client = new healthpb.HealthClient(server.address, grpcCredentials.createInsecure());
    opened.push(client);
    expect(await answerOf((metadata, done) => client.check({ service: '' }, metadata, done), {})).toBe('OK');
  });

  test('a header of another form is refused', async () => {
    const { server } = await start({ SLUICE_AUTH_FILE: callersFile(CALLERS) });
    const metadata = new Metadata();
    metadata.set('authorization', `Basic ${SHOP_TOKEN}`);
    expect(await post(server, { metadata })).toBe('NOT_AUTHENTICATED');
  });

  test('the file is read again: a token that was taken out is refused, a new one is let in, a broken file changes nothing', async () => {
    const { server } = await start({ SLUICE_AUTH_FILE: callersFile(CALLERS) });
    callersFile([{ name: 'shop', token: 'the-new-token-of-the-shop', roles: ['post'] }]);
    await changesSeen();
    expect(await post(server, { token: SHOP_TOKEN })).toBe('NOT_AUTHENTICATED');
    expect(await post(server, { token: 'the-new-token-of-the-shop' })).toBe('OK');
    callersFile([{ name: 'shop', token: 'short', roles: ['post'] }]);
    await changesSeen();
    expect(await post(server, { token: 'the-new-token-of-the-shop' })).toBe('OK');
    expect(logged).toContain('what was read before stays in force');
  });

  test.each`
    content                                                                                 | problem
    ${'{'}                                                                                  | ${'is not JSON'}
    ${'{"tokens": [{"name": "shop", "token": "short", "roles": ["post"]}]}'}                | ${'is wrong at tokens.0'}
    ${'{"tokens": [{"name": "shop", "token": "long-enough-as-it-is", "roles": ["king"]}]}'} | ${'is wrong at tokens.0'}
    ${'{"tokns": []}'}                                                                      | ${'is wrong at the whole file'}
  `('a file with $content does not start, and is not quoted', async ({ content, problem }: { content: string; problem: string }) => {
    const SLUICE_AUTH_FILE = file('callers.json', content);
    await expect(start({ SLUICE_AUTH_FILE })).rejects.toThrow(`${SLUICE_AUTH_FILE} ${problem}`);
    await expect(start({ SLUICE_AUTH_FILE })).rejects.not.toThrow(/short|long-enough/);
  });

  test('no token is in the log, whatever happens', async () => {
    const { server } = await start({ SLUICE_AUTH_FILE: callersFile(CALLERS) });
    await post(server, { token: 'a-token-that-nobody-gave' });
    await post(server, { token: SHOP_TOKEN });
    expect(logged).not.toMatch(/a-token-that|shop-token/);
  });

  test('each caller has a rate of its own', async () => {
    const { server } = await start({ SLUICE_AUTH_FILE: callersFile(CALLERS), SLUICE_RATE_LIMIT_PER_SECOND: '1' });
    expect(await post(server, { token: SHOP_TOKEN })).toBe('OK');
    expect(await post(server, { token: SHOP_TOKEN })).toBe('RATE_LIMITED');
    expect(await operate(server, { token: OPERATOR_TOKEN })).toBe('OK');
  });
});

describe('forwarded calls', () => {
  const shop = { caller: { name: 'shop', roles: new Set<Role>(['post']) }, partition: 3 };
  const king = { caller: { name: 'king', roles: new Set<Role>(['post', 'operate', 'peer']) }, partition: 3 };

  /** Where callers say who they are, and where they do not: a peer's token and the configuration. */
  const configurations = (): [string | undefined, Record<string, string>][] => [
    [PEER_TOKEN, { ...DEPLOYMENT, SLUICE_AUTH_FILE: callersFile(CALLERS) }],
    [undefined, DEPLOYMENT],
  ];

  async function forwarded(forwardedCall: ForwardedCall, method: string = POST_BATCH, configuration: Record<string, string> = DEPLOYMENT): Promise<Metadata> {
    const { SLUICE_KEYRING_SECRET = '' } = configuration;
    return (await HopProof.derive(SLUICE_KEYRING_SECRET)).metadataOf(method, forwardedCall);
  }

  function header(bytes: Buffer): Metadata {
    const metadata = new Metadata();
    metadata.set('sluice-hop-bin', bytes);
    return metadata;
  }

  test('are believed from a peer: they are for the caller and the partition that it names, and were counted where they came in', async () => {
    for (const [token, configuration] of configurations()) {
      const { server } = await start({ ...configuration, SLUICE_RATE_LIMIT_PER_SECOND: '1' });
      for (let times = 0; times < 3; times += 1) expect(await post(server, { token, metadata: await forwarded(shop) })).toBe('OK');
      expect(seen).toMatchObject({ caller: { name: 'shop', roles: new Set(['post']) }, forwarded: true, forwardedTo: 3 });
    }
  });

  test('are believed from an instance of another deployment on the same log: it shares the keyring, and its request must not go in circles', async () => {
    const { server } = await start({ ...DEPLOYMENT, SLUICE_DEPLOYMENT: 'another' });
    expect(await post(server, { metadata: await forwarded(shop) })).toBe('OK');
    expect(seen).toMatchObject({ forwarded: true, forwardedTo: 3 });
  });

  test('have the roles of whom they are for, not those of the peer', async () => {
    for (const [token, configuration] of configurations()) {
      const { server } = await start(configuration);
      expect(await operate(server, { token, metadata: await forwarded(shop, GET_STATUS) })).toBe('NOT_AUTHORIZED');
      await post(server, { token, metadata: await forwarded(king) });
      expect(seen?.caller.roles.has('peer')).toBe(false);
    }
  });

  test('are not believed from a caller who is no peer, with or without proof', async () => {
    const { server } = await start({ ...DEPLOYMENT, SLUICE_AUTH_FILE: callersFile(CALLERS) });
    expect(await post(server, { token: SHOP_TOKEN, metadata: await forwarded(king) })).toBe('OK');
    expect(seen).toMatchObject({ caller: { name: 'shop' }, forwarded: false });
    expect(await operate(server, { token: SHOP_TOKEN, metadata: await forwarded(king, GET_STATUS) })).toBe('NOT_AUTHORIZED');
  });

  test.each`
    claim                     | configuration
    ${'without proof'}        | ${{}}
    ${'without proof'}        | ${DEPLOYMENT}
    ${'with a guessed proof'} | ${DEPLOYMENT}
    ${'of another form'}      | ${DEPLOYMENT}
    ${'too long'}             | ${DEPLOYMENT}
    ${'of another method'}    | ${DEPLOYMENT}
    ${'of another secret'}    | ${DEPLOYMENT}
    ${'changed'}              | ${DEPLOYMENT}
  `('$claim are not believed where everybody may call: they are counted', async ({ claim, configuration }: { claim: string; configuration: object }) => {
    const proven = (await forwarded(shop)).get('sluice-hop-bin')[0] as Buffer;
    const json = proven.subarray(32);
    const claims: Record<string, Metadata> = {
      'without proof': header(json),
      'with a guessed proof': header(Buffer.concat([randomBytes(32), json])),
      'of another form': header(Buffer.from('{')),
      'too long': header(Buffer.alloc(10_000)),
      'of another method': await forwarded(shop, GET_STATUS),
      'of another secret': await forwarded(shop, POST_BATCH, { ...DEPLOYMENT, SLUICE_KEYRING_SECRET: 'the-secret-of-another' }),
      changed: header(Buffer.from(proven.toString('latin1').replace('shop', 'king'), 'latin1')),
    };
    const { server } = await start({ ...configuration, SLUICE_RATE_LIMIT_PER_SECOND: '1' });
    const metadata = (): Metadata => (claims[claim] as Metadata).clone();
    expect(await post(server, { metadata: metadata() })).toBe('OK');
    expect(seen).toMatchObject({ caller: ANYBODY, forwarded: false });
    expect(await post(server, { metadata: metadata() })).toBe('RATE_LIMITED');
    expect(logged.includes('claims to be sent on by another instance')).toBe(configuration === DEPLOYMENT);
    expect(logged).not.toContain(proven.subarray(0, 32).toString('base64'));
  });
});

describe('JSON web tokens', () => {
  const ISSUER = 'https://issuer.example';
  const AUDIENCE = 'sluice';
  let keys: Awaited<ReturnType<typeof generateKeyPair>>;

  beforeEach(async () => {
    keys = await generateKeyPair('ES256', { extractable: true });
  });

  async function startWithKeys(): Promise<RunningServer> {
    const set = { keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'ES256' }] };
    const environment = { ...DEPLOYMENT, SLUICE_AUTH_JWKS: file('jwks.json', JSON.stringify(set)), SLUICE_AUTH_ISSUER: ISSUER, SLUICE_AUTH_AUDIENCE: AUDIENCE };
    return (await start(environment)).server;
  }

  function token(claims: JWTPayload, { privateKey }: { privateKey: typeof keys.privateKey } = keys): Promise<string> {
    const nowSeconds = Math.floor(clock.nowUs() / 1_000_000);
    return new SignJWT({ iss: ISSUER, aud: AUDIENCE, sub: 'shop', exp: nowSeconds + 600, roles: ['post'], ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .sign(privateKey);
  }

  test.each`
    claims                              | posting
    ${{}}                               | ${'OK'}
    ${{ roles: 'read post' }}           | ${'OK'}
    ${{ aud: ['other', 'sluice'] }}     | ${'OK'}
    ${{ roles: ['read', 'operate'] }}   | ${'NOT_AUTHORIZED'}
    ${{ roles: undefined }}             | ${'NOT_AUTHORIZED'}
    ${{ roles: { post: true } }}        | ${'NOT_AUTHORIZED'}
    ${{ iss: 'https://other.example' }} | ${'NOT_AUTHENTICATED'}
    ${{ aud: 'other' }}                 | ${'NOT_AUTHENTICATED'}
    ${{ sub: undefined }}               | ${'NOT_AUTHENTICATED'}
    ${{ sub: 'x'.repeat(513) }}         | ${'NOT_AUTHENTICATED'}
    ${{ exp: undefined }}               | ${'NOT_AUTHENTICATED'}
    ${{ exp: 1_000_000_000 }}           | ${'NOT_AUTHENTICATED'}
    ${{ nbf: 4_000_000_000 }}           | ${'NOT_AUTHENTICATED'}
  `('with $claims: $posting', async ({ claims, posting }: { claims: JWTPayload; posting: string }) => {
    const server = await startWithKeys();
    expect(await post(server, { token: await token(claims) })).toBe(posting);
  });

  test('signed by another key, unsigned, or with its claims changed: refused', async () => {
    const server = await startWithKeys();
    expect(await post(server, { token: await token({}, await generateKeyPair('ES256')) })).toBe('NOT_AUTHENTICATED');
    const [header, , signature] = (await token({})).split('.');
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'shop', exp: 4_000_000_000, roles: ['post'] };
    expect(await post(server, { token: `${header}.${encode({ ...claims, roles: ['operate'] })}.${signature}` })).toBe('NOT_AUTHENTICATED');
    expect(await post(server, { token: `${encode({ alg: 'none' })}.${encode(claims)}.` })).toBe('NOT_AUTHENTICATED');
    expect(await post(server, { token: randomBytes(8_000).toString('hex') })).toBe('NOT_AUTHENTICATED');
  });

  test('nobody becomes a peer by a token of the issuer', async () => {
    const server = await startWithKeys();
    const king = { caller: { name: 'king', roles: new Set<Role>(['operate']) }, partition: 3 };
    const metadata = (await HopProof.derive(DEPLOYMENT.SLUICE_KEYRING_SECRET)).metadataOf(GET_STATUS, king);
    expect(await operate(server, { token: await token({ roles: ['peer'] }), metadata })).toBe('NOT_AUTHORIZED');
  });

  test('a token that was verified is refused once it is expired', async () => {
    const server = await startWithKeys();
    const given = await token({});
    expect(await post(server, { token: given })).toBe('OK');
    expect(await post(server, { token: given })).toBe('OK');
    clock.advance(631_000);
    expect(await post(server, { token: given })).toBe('NOT_AUTHENTICATED');
  });

  test('a key set that is none does not start', async () => {
    const environment = { SLUICE_AUTH_JWKS: file('jwks.json', '{"keys": 1}'), SLUICE_AUTH_ISSUER: ISSUER, SLUICE_AUTH_AUDIENCE: AUDIENCE };
    await expect(start(environment)).rejects.toThrow('is not a JSON web key set');
  });
});

describe('TLS', () => {
  const authority = new CertificateAuthority();

  function serverFiles(notAfter?: Date): Record<string, string> {
    const { certificate, key } = authority.make({ commonName: 'server', ipv4: ['127.0.0.1'], dnsNames: ['localhost'], notAfter });
    return { SLUICE_TLS_CERT: file('server.pem', certificate), SLUICE_TLS_KEY: file('server.key', key) };
  }

  function channel(client?: { certificate: string; key: string }, trusted = authority): ChannelCredentials {
    return grpcCredentials.createSsl(
      Buffer.from(trusted.certificate),
      client ? Buffer.from(client.key) : null,
      client ? Buffer.from(client.certificate) : null,
    );
  }

  function serialOf(server: RunningServer): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port: server.port, host: '127.0.0.1', ca: authority.certificate, ALPNProtocols: ['h2'] }, () => {
        resolve(socket.getPeerCertificate().serialNumber);
        socket.destroy();
      }).on('error', reject);
    });
  }

  test('who trusts the authority gets in; plain text and strangers do not', async () => {
    const { server } = await start(serverFiles());
    expect(await post(server, { channel: channel() })).toBe('OK');
    expect(await post(server)).toBe('UNAVAILABLE');
    expect(await post(server, { channel: channel(undefined, new CertificateAuthority('Stranger')) })).toBe('UNAVAILABLE');
  });

  test('with TLS it may listen beyond this machine', async () => {
    const security = await openSecurity(loadConfiguration(serverFiles()), clock, createLogger({ service: 'test', level: 'silent' }));
    opened.push(security);
    const server = await startServer({ host: '0.0.0.0', port: 0, ...security.server }, []);
    servers.push(server);
    expect(server.address).toBe(`0.0.0.0:${server.port}`);
  });

  test('a new certificate is taken without a restart, and calls go on', async () => {
    const { server } = await start(serverFiles());
    const through = channel();
    expect(await post(server, { channel: through })).toBe('OK');
    const before = await serialOf(server);
    serverFiles();
    await changesSeen();
    expect(await serialOf(server)).not.toBe(before);
    expect(await post(server, { channel: through })).toBe('OK');
    expect(await post(server, { channel: channel() })).toBe('OK');
  });

  test('a new certificate that does not fit its key is logged, and the old one stays', async () => {
    const { server } = await start(serverFiles());
    const before = await serialOf(server);
    file('server.pem', authority.make({ commonName: 'server' }).certificate);
    await changesSeen();
    expect(await serialOf(server)).toBe(before);
    expect(logged).toContain('what was read before stays in force');
  });

  test('an expired certificate, a wrong key, no certificate at all: the server does not start, and says which file', async () => {
    const expired = serverFiles(new Date(clock.nowUs() / 1_000 - DAY_MS));
    await expect(start(expired)).rejects.toThrow(/server\.pem expired on \d{4}-/);
    const files = serverFiles();
    file('server.key', authority.make({ commonName: 'other' }).key);
    await expect(start(files)).rejects.toThrow(/server\.key is not the key of .*server\.pem/);
    file('server.pem', 'not a certificate');
    await expect(start(files)).rejects.toThrow(/server\.pem is not a certificate in PEM/);
    await expect(start({ ...files, SLUICE_TLS_CERT: join(folder, 'missing.pem') })).rejects.toThrow(/missing\.pem cannot be read \(ENOENT\)/);
  });

  test('a certificate that expires soon is a warning', async () => {
    await start(serverFiles(new Date(clock.nowUs() / 1_000 + 3 * DAY_MS)));
    expect(logged).toContain('the certificate expires soon');
  });

  describe('mutual', () => {
    const mutual = (): Record<string, string> => ({ ...serverFiles(), SLUICE_TLS_CA: file('clients.pem', authority.certificate) });
    const batch = authority.make({ commonName: 'batch.example.com' });

    test('without a certificate of the authority nobody gets in', async () => {
      const { server } = await start(mutual());
      expect(await post(server, { channel: channel(batch) })).toBe('OK');
      expect(await post(server, { channel: channel() })).toBe('UNAVAILABLE');
      expect(await post(server, { channel: channel(new CertificateAuthority('Stranger').make({ commonName: 'batch.example.com' })) })).toBe('UNAVAILABLE');
    });

    test('a certificate names its caller; one that nobody named is refused', async () => {
      const callers = callersFile(
        [],
        [
          { name: 'batch.example.com', roles: ['post'] },
          { name: 'by-dns.example.com', roles: ['operate'] },
        ],
      );
      const { server } = await start({ ...mutual(), SLUICE_AUTH_FILE: callers });
      expect(await post(server, { channel: channel(batch) })).toBe('OK');
      expect(seen?.caller.name).toBe('batch.example.com');
      expect(await operate(server, { channel: channel(batch) })).toBe('NOT_AUTHORIZED');
      expect(await operate(server, { channel: channel(authority.make({ commonName: 'x', dnsNames: ['by-dns.example.com'] })) })).toBe('OK');
      expect(await post(server, { channel: channel(authority.make({ commonName: 'unknown' })) })).toBe('NOT_AUTHENTICATED');
    });

    test('where a certificate is optional a token does, and an unverified certificate is nobody', async () => {
      const callers = callersFile(CALLERS, [{ name: 'batch.example.com', roles: ['post'] }]);
      const { server } = await start({ ...mutual(), SLUICE_TLS_CLIENT_CERT: 'optional', SLUICE_AUTH_FILE: callers });
      expect(await post(server, { channel: channel(), token: SHOP_TOKEN })).toBe('OK');
      expect(await post(server, { channel: channel(batch) })).toBe('OK');
      expect(await post(server, { channel: channel(new CertificateAuthority('Stranger').make({ commonName: 'batch.example.com' })) })).toBe(
        'NOT_AUTHENTICATED',
      );
      expect(await post(server, { channel: channel(batch), token: 'a-token-that-nobody-gave' })).toBe('NOT_AUTHENTICATED');
    });

    test('peers reach each other with their own certificates and the peer token', async () => {
      const { server, security } = await start({ ...mutual(), ...DEPLOYMENT, SLUICE_AUTH_FILE: callersFile(CALLERS), SLUICE_PEER_TOKEN: PEER_TOKEN });
      const { credentials, token, proof } = security.peer;
      const metadata = proof?.metadataOf(POST_BATCH, { caller: { name: 'shop', roles: new Set<Role>(['post']) }, partition: 3 });
      expect(await post(server, { channel: credentials, token, metadata })).toBe('OK');
      expect(seen).toMatchObject({ caller: { name: 'shop' }, forwarded: true });
    });
  });
});

/** Lets the poll fall due and the reading that it starts finish. */
async function changesSeen(): Promise<void> {
  const timers = clock.pendingTimers;
  clock.advance(5_000);
  while (clock.pendingTimers < timers) await new Promise((resolve) => setImmediate(resolve));
}
