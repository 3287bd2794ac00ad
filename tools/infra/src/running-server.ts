/**
 * A server that tests and tools talk to, wherever it came from: one that exists already (by URL) or a child process of ours.
 */
export type ServerKind = 'external' | 'nats-server' | 'mongod' | 'mongo-java-server';

export interface RunningServer {
  readonly kind: ServerKind;
  /** For clients. May hold credentials when it came from the outside: do not print it, print `describe`. */
  readonly url: string;
  /** What was taken and from where, for people. */
  readonly describe: string;
  /** The server's process; undefined for an external one. */
  readonly pid: number | undefined;
  /** Asks it to stop and waits until it has. An external server is left alone. */
  stop(): Promise<void>;
  /** SIGKILL, as a power cut would; waits until it is gone. Throws for an external server. */
  kill(): Promise<void>;
  /** Starts it again on the same port with the same data. Throws for an external server and for one that runs. */
  restart(): Promise<void>;
  /** Sends a signal, like SIGSTOP and SIGCONT for a pause. Throws for an external server. */
  signal(signal: NodeJS.Signals): void;
}

export interface ServerOptions {
  /** Folder for the server's data; made if it is missing. */
  readonly dataDir: string;
  /** Port on loopback; 0 or none: any free one, kept over restarts. */
  readonly port?: number;
  /** In a process group of its own: Ctrl-C at the terminal reaches us, and the server goes on until we stop it. */
  readonly apart?: boolean;
}

/** No way that was tried leads to such a server here. */
export class ServerNotFoundError extends Error {
  constructor(what: string, tried: readonly string[]) {
    super(`no ${what} can be had here. Tried, in this order:\n${tried.map((line) => `  - ${line}`).join('\n')}`);
    this.name = 'ServerNotFoundError';
  }
}
