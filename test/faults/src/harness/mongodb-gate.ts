/**
 * A way to MongoDB that a test can close at a command that it chooses: the command and whatever comes after it, on every connection, stays
 * unsent. So a process can be killed between two writes of one batch.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { BSON } from 'mongodb';

/** Size, request, answered request, kind: four 32-bit numbers. */
const HEADER_BYTES = 16;
const KIND_OFFSET = 12;
const OP_MSG = 2013;
/** Flags, then the kind of the first section; 0: one document, the command. */
const FLAG_BYTES = 4;
const COMMAND_SECTION = 0;

/** Like { name: 'update', collection: 'copy_1_accounts_4' }. */
export interface MongodbCommand {
  readonly name: string;
  readonly collection: string;
}

export class MongodbGate {
  private readonly sockets = new Set<Socket>();
  private closing: { readonly at: (command: MongodbCommand) => boolean; readonly closed: () => void } | undefined;
  private closed = false;

  private constructor(
    private readonly listener: Server,
    private readonly targetPort: () => number,
  ) {
    listener.on('connection', (caller) => this.take(caller));
  }

  /** @param targetPort asked at each connection, so that MongoDB may start after its gate. */
  static async open(targetPort: () => number): Promise<MongodbGate> {
    const listener = createServer();
    const gate = new MongodbGate(listener, targetPort);
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    return gate;
  }

  get port(): number {
    return (this.listener.address() as AddressInfo).port;
  }

  /** Resolves when a command came for which the condition holds; it was not sent on. */
  closeAt(at: (command: MongodbCommand) => boolean): Promise<void> {
    return new Promise((closed) => {
      this.closing = { at, closed };
    });
  }

  /** For connections from now on: what was held back is lost with the process that sent it. */
  reopen(): void {
    this.closed = false;
  }

  async end(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.listener.close(() => resolve()));
    for (const socket of this.sockets) socket.destroy();
    await ended;
  }

  private take(caller: Socket): void {
    const server = connect(this.targetPort(), '127.0.0.1');
    let shut = false;
    let unread: Buffer = Buffer.alloc(0);
    caller.on('data', (bytes) => {
      unread = Buffer.concat([unread, bytes]);
      while (unread.length >= HEADER_BYTES && unread.length >= unread.readInt32LE(0)) {
        const message = unread.subarray(0, unread.readInt32LE(0));
        unread = unread.subarray(message.length);
        shut ||= this.shutsAt(message);
        if (!shut) server.write(message);
      }
    });
    server.on('data', (bytes) => caller.write(bytes));
    for (const [socket, other] of [
      [caller, server],
      [server, caller],
    ] as const) {
      this.sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
    }
  }

  private shutsAt(message: Buffer): boolean {
    if (this.closed) return true;
    const command = commandOf(message);
    if (this.closing === undefined || command === undefined || !this.closing.at(command)) return false;
    this.closed = true;
    this.closing.closed();
    this.closing = undefined;
    return true;
  }
}

/** The command of a message; undefined: it has none that names a collection. */
function commandOf(message: Buffer): MongodbCommand | undefined {
  if (message.readInt32LE(KIND_OFFSET) !== OP_MSG || message[HEADER_BYTES + FLAG_BYTES] !== COMMAND_SECTION) return undefined;
  const start = HEADER_BYTES + FLAG_BYTES + 1;
  const document = BSON.deserialize(message.subarray(start, start + message.readInt32LE(start)));
  const [[name, collection] = ['', undefined]] = Object.entries(document) as [string, unknown][];
  return typeof collection === 'string' ? { name, collection } : undefined;
}
