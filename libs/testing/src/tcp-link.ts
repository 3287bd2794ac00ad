/**
 * A TCP link to a server that a test can silence: as with a stopped host or a cut cable, connections stay open and new ones are
 * taken, but no byte passes in either direction.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export class TcpLink {
  private readonly callers = new Set<Socket>();
  private readonly servers = new Set<Socket>();
  private silent = { callers: false, servers: false };
  /** Connections that were taken so far. */
  connections = 0;

  private constructor(
    private readonly server: Server,
    private readonly targetPort: () => number,
  ) {
    server.on('connection', (socket) => this.take(socket));
  }

  /** @param targetPort asked at each connection, so that a server may start after its link. */
  static async open(targetPort: () => number): Promise<TcpLink> {
    const server = createServer({ allowHalfOpen: true });
    const link = new TcpLink(server, targetPort);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return link;
  }

  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** From now on no byte passes. */
  silence(): void {
    this.silent = { callers: true, servers: true };
    for (const socket of [...this.callers, ...this.servers]) socket.pause();
  }

  /** From now on the server hears the callers, and they do not hear it. */
  silenceAnswers(): void {
    this.silent = { callers: false, servers: true };
    for (const socket of this.servers) socket.pause();
  }

  /** What was held back passes. */
  speak(): void {
    this.silent = { callers: false, servers: false };
    for (const socket of [...this.callers, ...this.servers]) socket.resume();
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of [...this.callers, ...this.servers]) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.cut();
    await closed;
  }

  private take(caller: Socket): void {
    this.connections += 1;
    const server = connect({ port: this.targetPort(), host: '127.0.0.1', allowHalfOpen: true });
    pass(caller, server, this.callers);
    pass(server, caller, this.servers);
    if (this.silent.callers) caller.pause();
    if (this.silent.servers) server.pause();
  }
}

function pass(from: Socket, to: Socket, open: Set<Socket>): void {
  open.add(from);
  from.on('data', (bytes) => to.write(bytes));
  from.on('end', () => to.end());
  from.on('error', () => to.destroy());
  from.on('close', () => {
    open.delete(from);
    to.destroy();
  });
}
