/**
 * A connection to MongoDB, shared by the adapters that live on it; who opens it closes it.
 *
 * What goes to the log and the read store is acknowledged by a majority with its journal, what is read has been
 * acknowledged so, and everything is asked of the primary: a promise that was made holds over a failover. No transactions,
 * change streams or update pipelines are used, so a standalone server and every version from 4.4 on will do.
 */
import { type Db, MongoClient, type MongoClientOptions, MongoServerError, ReadConcern } from 'mongodb';

import { FailingConnection } from './failing-connection';

const DEFAULT_DATABASE = 'sluice';
/** How long an operation looks for a primary; a failover takes about this long. */
const SERVER_SELECTION_LIMIT_MS = 10_000;
/**
 * How often the driver's monitor asks the server on a connection of its own, and how long the server may take to answer it, or to accept
 * a connection. A server that is silent for longer counts as away: whatever waits for it fails, and another primary is looked for. An election
 * takes longer; a shorter limit would cut off a server that is only busy, and make it do again what it had almost done.
 */
const PROBE_EVERY_MS = 1_000;
const SILENCE_LIMIT_MS = 5_000;
/** A connection on which nothing came for so long during an operation is given up, also if the server answers on others. */
const SOCKET_LIMIT_MS = 30_000;
const MAX_CONNECTIONS = 32;
/** Between two attempts to reach a server at the start: the first pause, doubled each time up to the longest. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 1_000;

const AUTHENTICATION_FAILED = 18;

/** Writes are answered when a majority has them in its journal. */
export const DURABLE = { w: 'majority', journal: true } as const;

export interface MongoConnectionOptions {
  /** Connection string; TLS and credentials may stand in it. */
  readonly url: string;
  /** Name of the database; the one in the URL by default, else "sluice". */
  readonly database?: string;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: {
    /** PEM file of the authorities that the server's certificate is checked with. */
    readonly caFile?: string;
    /** PEM file of our certificate and its key, for mutual TLS. */
    readonly certificateKeyFile?: string;
  };
  /** Try again, with back-off, until a server answers or the signal aborts. Absent: one attempt. */
  readonly wait?: { readonly onWaiting: (message: string) => void; readonly signal?: AbortSignal };
}

/** The server cannot be reached, or does not let us in. The message names the server, never the credentials. */
export class MongoUnavailableError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MongoUnavailableError';
  }
}

export class MongoConnection {
  readonly db: Db;

  private constructor(
    private readonly client: MongoClient,
    database: string,
    /** The server as people may see it, without credentials. */
    readonly describe: string,
    /** The server offers reads that a deposed primary cannot answer (a replica set); a standalone server has no other primary. */
    readonly linearizableReads: boolean,
  ) {
    this.db = client.db(database, { readPreference: 'primary', readConcern: new ReadConcern('majority'), writeConcern: DURABLE });
  }

  static async open(options: MongoConnectionOptions): Promise<MongoConnection> {
    const describe = withoutCredentials(options.url);
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        return await MongoConnection.#attempt(options, describe);
      } catch (error) {
        const message = `MongoDB at ${describe}: ${redacted(error, options)}`;
        const { wait } = options;
        if (wait === undefined || wait.signal?.aborted === true || isFinal(error)) throw new MongoUnavailableError(message);
        wait.onWaiting(message);
        await pause(pauseMs, wait.signal);
      }
    }
  }

  static async #attempt(options: MongoConnectionOptions, describe: string): Promise<MongoConnection> {
    const client = new MongoClient(options.url, clientOptions(options));
    try {
      await client.connect();
      // The name that every version from 4.4 on knows.
      const hello = await client.db(databaseOf(options)).command({ isMaster: 1 });
      return new MongoConnection(client, databaseOf(options), describe, offersLinearizableReads(hello));
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.client.close();
  }
}

/** What the URL does not say. */
const DEFAULTS: MongoClientOptions = {
  appName: 'sluice',
  serverSelectionTimeoutMS: SERVER_SELECTION_LIMIT_MS,
  heartbeatFrequencyMS: PROBE_EVERY_MS,
  connectTimeoutMS: SILENCE_LIMIT_MS,
  socketTimeoutMS: SOCKET_LIMIT_MS,
  maxPoolSize: MAX_CONNECTIONS,
};

/** The driver's types leave this option out. */
const DRIVER_CONNECTIONS = { connectionType: FailingConnection };

function clientOptions(options: MongoConnectionOptions): MongoClientOptions {
  const { username, password, tls } = options;
  const query = (/\?(.*)$/.exec(options.url)?.[1] ?? '').toLowerCase();
  const inUrl = new Set(query.split('&').map((pair) => pair.split('=')[0]));
  return {
    ...Object.fromEntries(Object.entries(DEFAULTS).filter(([name]) => !inUrl.has(name.toLowerCase()))),
    ...DRIVER_CONNECTIONS,
    // int64 is money: it must not pass through a double.
    useBigInt64: true,
    ...(username !== undefined && { auth: { username, password: password ?? '' } }),
    ...(tls !== undefined && { tls: true }),
    ...(tls?.caFile !== undefined && { tlsCAFile: tls.caFile }),
    ...(tls?.certificateKeyFile !== undefined && { tlsCertificateKeyFile: tls.certificateKeyFile }),
  };
}

function databaseOf(options: MongoConnectionOptions): string {
  const inUrl = /^mongodb(?:\+srv)?:\/\/[^/]+\/([^?]+)/.exec(options.url)?.[1];
  return options.database ?? (inUrl === undefined ? DEFAULT_DATABASE : decodeURIComponent(inUrl));
}

/** A member of a replica set names the set; a router before several says what it is. */
export function offersLinearizableReads(hello: Readonly<Record<string, unknown>>): boolean {
  return typeof hello['setName'] === 'string' || hello['msg'] === 'isdbgrid';
}

/** Waiting does not help against a URL that cannot be read or credentials that are wrong. */
function isFinal(error: unknown): boolean {
  if (error instanceof MongoServerError) return error.code === AUTHENTICATION_FAILED;
  return error instanceof Error && ['MongoParseError', 'MongoInvalidArgumentError', 'MongoMissingCredentialsError'].includes(error.name);
}

/** The connection string without user, password and options. */
export function withoutCredentials(url: string): string {
  const withoutUser = url.replace(/\/\/.*@/, '//');
  return withoutUser.replace(/\?.*$/, '');
}

/** What went wrong, with everything secret of the configuration taken out. */
function redacted(error: unknown, options: MongoConnectionOptions): string {
  const user = /\/\/(.*)@/.exec(options.url)?.[1] ?? '';
  const inUrl = user.slice(user.indexOf(':') + 1);
  const secrets = [options.password, inUrl, decodedOrSame(inUrl)].filter((secret) => secret !== undefined && secret !== '');
  const message = error instanceof Error ? error.message : String(error);
  return secrets.reduce<string>((text, secret) => text.replaceAll(secret as string, '***'), withoutCredentials(message));
}

function decodedOrSame(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
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
