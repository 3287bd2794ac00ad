/**
 * The connection to NATS that the bus and the leases of a process share; who opens it closes it.
 *
 * It is never given up: when the server goes away it is looked for again for ever, with back-off, and certificates and
 * credentials are read afresh from their files at each attempt. Meanwhile whatever needs it fails at once instead of waiting, because
 * its callers know better what to do without it.
 */
import { readFileSync } from 'node:fs';

import { jetstreamManager, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream';
import { type Authenticator, AuthorizationError, connect, credsAuthenticator, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';

const CONNECT_LIMIT_MS = 5_000;
/** A server that does not answer two pings in a row is gone. */
const PING_INTERVAL_MS = 5_000;
const PINGS_UNANSWERED = 2;
/** Between two attempts: the first pause, doubled each time up to the longest, and up to a quarter more by chance. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 3_000;
/** How long an answer of JetStream is waited for. */
const REQUEST_LIMIT_MS = 5_000;

export interface NatsLinkOptions {
  /** nats://HOST:PORT or tls://HOST:PORT, several separated by commas; user and password, or a token, may stand before the host. */
  readonly url: string;
  /** Name of this client, as the server's monitoring shows it. */
  readonly name?: string;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** File with a user's JWT and nkey seed. */
  readonly credentialsFile?: string;
  /** PEM files; given, or with a tls:// URL, only encrypted connections are made. */
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
  /** Longest pause between two attempts to connect again, milliseconds. Default: 3,000. */
  readonly longestPauseMs?: number;
  /** Told of every change of the connection, in a line without secrets. */
  readonly onStatus?: (message: string) => void;
  /** Try again, with back-off, until a server answers or the signal aborts. Absent: one attempt. */
  readonly wait?: { readonly signal?: AbortSignal };
}

/** The server cannot be reached, does not let us in, or lacks JetStream. The message names the server, never the credentials. */
export class NatsUnavailableError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NatsUnavailableError';
  }
}

export class NatsLink {
  #connected = true;
  readonly #restored = new Set<() => void>();
  readonly #lost = new Set<() => void>();

  private constructor(
    readonly connection: NatsConnection,
    readonly manager: JetStreamManager,
    readonly jetstream: JetStreamClient,
    /** The server as people may see it, without credentials. */
    readonly describe: string,
    onStatus: (message: string) => void,
  ) {
    void this.#follow(onStatus);
  }

  static async open(options: NatsLinkOptions): Promise<NatsLink> {
    const address = parseAddress(options.url);
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await NatsLink.#attempt(options, address);
      } catch (error) {
        const message = `NATS at ${address.describe}: ${redacted(error, options, address)}`;
        if (options.wait === undefined || options.wait.signal?.aborted === true || error instanceof AuthorizationError) throw new NatsUnavailableError(message);
        options.onStatus?.(message);
        await pause(pauseMs(attempt, options), options.wait.signal);
      }
    }
  }

  static async #attempt(options: NatsLinkOptions, address: NatsAddress): Promise<NatsLink> {
    const connection = await connect(connectionOptions(options, address));
    try {
      const manager = await jetstreamManager(connection, { timeout: REQUEST_LIMIT_MS });
      return new NatsLink(connection, manager, manager.jetstream(), address.describe, options.onStatus ?? (() => undefined));
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  get connected(): boolean {
    return this.#connected && !this.connection.isClosed();
  }

  /** The largest message that the server takes, headers included. */
  get maxPayloadBytes(): number {
    return this.connection.info?.max_payload ?? 1024 * 1024;
  }

  /** Called whenever the connection is back after it was lost. Returns how to stop. */
  onRestored(listener: () => void): () => void {
    this.#restored.add(listener);
    return () => this.#restored.delete(listener);
  }

  assertConnected(): void {
    if (!this.connected) throw this.#unreachable();
  }

  /**
   * Does the work while there is a connection; when it is lost, rejects at once and does not wait for an answer that will
   * not come. Whether the work was done is unknown then.
   */
  async whileConnected<Result>(work: () => Promise<Result>): Promise<Result> {
    this.assertConnected();
    let giveUp = (): void => undefined;
    const lost = new Promise<never>((_, reject) => {
      giveUp = () => reject(this.#unreachable());
    });
    this.#lost.add(giveUp);
    try {
      return await Promise.race([work(), lost]);
    } finally {
      this.#lost.delete(giveUp);
    }
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  #unreachable(): NatsUnavailableError {
    return new NatsUnavailableError(`NATS at ${this.describe} cannot be reached`);
  }

  async #follow(onStatus: (message: string) => void): Promise<void> {
    for await (const status of this.connection.status()) {
      switch (status.type) {
        case 'disconnect':
          this.#connected = false;
          onStatus(`NATS at ${this.describe}: the connection is lost`);
          for (const giveUp of [...this.#lost]) giveUp();
          break;
        case 'reconnect':
          this.#connected = true;
          onStatus(`NATS at ${this.describe}: connected again`);
          for (const listener of [...this.#restored]) listener();
          break;
        case 'error':
          onStatus(`NATS at ${this.describe}: ${status.error.message}`);
          break;
        case 'close':
          this.#connected = false;
          break;
        case 'reconnecting':
        case 'update':
        case 'ldm':
        case 'ping':
        case 'staleConnection':
        case 'forceReconnect':
        case 'slowConsumer':
          break;
        default:
          status satisfies never;
      }
    }
  }
}

interface NatsAddress {
  /** HOST:PORT of each server. */
  readonly servers: string[];
  readonly describe: string;
  readonly tls: boolean;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

/** Takes the URL apart, because the client knows only hosts and ports. */
function parseAddress(url: string): NatsAddress {
  const parts = url.split(',').map((part) => {
    const match = /^(?:(nats|tls):\/\/)?(?:([^@/]*)@)?([^@/]+)\/?$/.exec(part.trim());
    if (match === null) throw new NatsUnavailableError('the URL of NATS cannot be read: nats://HOST:PORT or tls://HOST:PORT is expected');
    const [, scheme, credentials, server] = match;
    return { scheme: scheme ?? 'nats', credentials, server: server as string };
  });
  const [user, ...password] = parts.find(({ credentials }) => credentials !== undefined)?.credentials?.split(':') ?? [];
  return {
    servers: parts.map(({ server }) => server),
    describe: parts.map(({ scheme, server }) => `${scheme}://${server}`).join(','),
    tls: parts.some(({ scheme }) => scheme === 'tls'),
    user: user === undefined ? undefined : decodeURIComponent(user),
    password: password.length === 0 ? undefined : decodeURIComponent(password.join(':')),
  };
}

function connectionOptions(options: NatsLinkOptions, address: NatsAddress): NodeConnectionOptions {
  let reconnects = 0;
  let lastReconnectAtMs = 0;
  return {
    servers: address.servers,
    name: options.name ?? 'sluice',
    timeout: CONNECT_LIMIT_MS,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: PINGS_UNANSWERED,
    maxReconnectAttempts: -1,
    // Credentials that are renewed on the server are wrong for a moment.
    ignoreAuthErrorAbort: true,
    reconnectDelayHandler: () => {
      const now = performance.now();
      reconnects = now - lastReconnectAtMs > 2 * LONGEST_PAUSE_MS + CONNECT_LIMIT_MS ? 0 : reconnects + 1;
      lastReconnectAtMs = now;
      return pauseMs(reconnects, options);
    },
    ...authentication(options, address),
    ...((options.tls !== undefined || address.tls) && { tls: { ...options.tls } }),
  };
}

function authentication(options: NatsLinkOptions, address: NatsAddress): Pick<NodeConnectionOptions, 'authenticator' | 'user' | 'pass' | 'token'> {
  const { credentialsFile } = options;
  if (credentialsFile !== undefined) {
    const fresh: Authenticator = (nonce) => credsAuthenticator(readFileSync(credentialsFile))(nonce);
    return { authenticator: fresh };
  }
  const user = options.user ?? address.user;
  const password = options.password ?? address.password;
  if (options.token !== undefined) return { token: options.token };
  if (user === undefined) return {};
  return password === undefined ? { token: user } : { user, pass: password };
}

/** What went wrong, with everything secret of the configuration taken out. */
function redacted(error: unknown, options: NatsLinkOptions, address: NatsAddress): string {
  const secrets = [options.password, options.token, address.password, address.user].filter((secret) => secret !== undefined && secret !== '');
  const message = error instanceof Error ? error.message : String(error);
  return secrets.reduce<string>((text, secret) => text.replaceAll(secret as string, '***'), message);
}

function pauseMs(attempt: number, { longestPauseMs = LONGEST_PAUSE_MS }: NatsLinkOptions): number {
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** attempt, longestPauseMs);
  return pause * (1 + Math.random() / 4);
}

/** Resolves after the time, or as soon as the signal aborts. */
export function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, milliseconds);
    signal?.addEventListener('abort', finish);
  });
}
