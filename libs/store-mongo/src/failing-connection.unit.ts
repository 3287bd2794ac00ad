import { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { MongoNetworkError } from 'mongodb';
import { FailingConnection } from './failing-connection';

/** A socket that takes no command: its buffer is full, and "drain" never comes. */
class FullSocket extends Duplex {
  constructor() {
    super({ writableHighWaterMark: 1 });
  }
  override _read(): void {
    // Nothing comes.
  }
  override _write(): void {
    // Nothing is sent.
  }
  setTimeout(): this {
    return this;
  }
}

const OPTIONS = { id: 1, generation: 1, hostAddress: 'mongodb:27017' };
const PING = [{ db: 'admin' }, { ping: 1 }] as const;

function connect(): { socket: FullSocket; connection: FailingConnection } {
  const socket = new FullSocket();
  return { socket, connection: new FailingConnection(socket as unknown as Socket, OPTIONS) };
}

test('a command that the socket has not taken fails when the socket closes without an error', async () => {
  const { socket, connection } = connect();
  const answer = connection.command(...PING);
  await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
  await expect(answer).rejects.toBeInstanceOf(MongoNetworkError);
});

test('a command fails that is written to a socket that is closing', async () => {
  const { socket, connection } = connect();
  const answer = connection.command(...PING);
  // The driver has looked whether the connection is open, and has not written yet.
  socket.destroy();
  await expect(answer).rejects.toBeInstanceOf(MongoNetworkError);
});

test('an error of the socket is passed on as it is', async () => {
  const { socket, connection } = connect();
  const answer = connection.command(...PING);
  await new Promise((resolve) => setImmediate(resolve));
  socket.destroy(new Error('reset by the server'));
  await expect(answer).rejects.toThrow('reset by the server');
});
