/**
 * A TCP link to a server that a test can silence: as with a stopped host or a cut cable, connections stay open and new ones are
 * taken, but no byte passes.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** One direction of one connection. */
class Direction {
  private held: Buffer[] = [];

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private silent: boolean,
    beforeBytes: (bytes: Buffer) => void = () => undefined,
  ) {
    from.on('data', (bytes) => {
      beforeBytes(bytes);
      if (this.silent) this.held.push(bytes);
      else to.write(bytes);
    });
    from.on('end', () => {
      if (!this.silent) to.end();
    });
    from.on('error', () => to.destroy());
    from.on('close', () => {
      if (!this.silent) to.destroy();
    });
  }

  setSilent(silent: boolean): void {
    this.silent = silent;
    if (silent) return;
    for (const bytes of this.held.splice(0)) this.to.write(bytes);
    if (this.from.readableEnded || this.from.destroyed) this.to.end();
  }
}

interface Connection {
  readonly caller: Socket;
  readonly server: Socket;
  readonly requests: Direction;
  readonly answers: Direction;
}

export class TcpLink {
  private readonly connections = new Set<Connection>();
  private silent = { requests: false, answers: false };
  /** The next request for which it holds silences its connection. */
  private trap: { readonly isAwaited: (request: Buffer) => boolean; readonly silent: 'requests' | 'answers'; readonly caught: () => void } | undefined;
  /** Connections that callers opened so far. */
  opened = 0;

  private constructor(
    private readonly listener: Server,
    private readonly targetPort: () => number,
  ) {
    listener.on('connection', (socket) => this.take(socket));
  }

  /** @param targetPort asked at each connection, so that a server may start after its link. */
  static async open(targetPort: () => number): Promise<TcpLink> {
    const listener = createServer({ allowHalfOpen: true });
    const link = new TcpLink(listener, targetPort);
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    return link;
  }

  get address(): string {
    return `127.0.0.1:${(this.listener.address() as AddressInfo).port}`;
  }

  /** From now on no byte passes. */
  silence(): void {
    this.setSilent({ requests: true, answers: true });
  }

  /** From now on the server hears the callers, and they do not hear it. */
  silenceAnswers(): void {
    this.setSilent({ requests: false, answers: true });
  }

  /**
   * Silences one connection, at the next request that is awaited: either the request and whatever follows it does not pass, or it passes and
   * its answer does not. Resolves when the request came.
   */
  silenceConnectionAt(isAwaited: (request: Buffer) => boolean, silent: 'requests' | 'answers'): Promise<void> {
    return new Promise((caught) => {
      this.trap = { isAwaited, silent, caught };
    });
  }

  /** What was held back passes. */
  speak(): void {
    this.setSilent({ requests: false, answers: false });
  }

  /** Resolves when the callers have closed every connection that is open now. */
  async untilClosedByCallers(): Promise<void> {
    for (const { caller } of [...this.connections]) {
      if (caller.readableEnded || caller.destroyed) continue;
      await new Promise((resolve) => caller.once('end', resolve).once('close', resolve));
    }
  }

  /** Cuts every connection. */
  cut(): void {
    for (const { caller, server } of this.connections) {
      caller.destroy();
      server.destroy();
    }
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.listener.close(() => resolve()));
    this.cut();
    await closed;
  }

  private take(caller: Socket): void {
    this.opened += 1;
    const server = connect({ port: this.targetPort(), host: '127.0.0.1', allowHalfOpen: true });
    const requests: Direction = new Direction(caller, server, this.silent.requests, (bytes) => {
      if (this.trap?.isAwaited(bytes) !== true) return;
      const { silent, caught } = this.trap;
      this.trap = undefined;
      (silent === 'requests' ? requests : answers).setSilent(true);
      caught();
    });
    const answers = new Direction(server, caller, this.silent.answers);
    const connection = { caller, server, requests, answers };
    this.connections.add(connection);
    server.on('close', () => this.connections.delete(connection));
  }

  private setSilent(silent: { requests: boolean; answers: boolean }): void {
    this.silent = silent;
    for (const { requests, answers } of this.connections) {
      requests.setSilent(silent.requests);
      answers.setSilent(silent.answers);
    }
  }
}
