/**
 * A connection of the driver whose writes fail when the socket closes.
 *
 * The driver waits for the event "drain" or "error" when a socket does not take a command at once. A socket that closes without an
 * error emits neither, and a socket that is closed already takes nothing. Such a command would wait for ever, whatever its limits:
 * an append, a row of the projector, or the probe of the driver's monitor. While that probe waits, the driver takes the server for
 * unreachable, also after the server has come back.
 *
 * The option `connectionType` and the class are internals of the driver. The tests beside this file fail when an upgrade changes them.
 */
import type { Socket } from 'node:net';
import { MongoNetworkError } from 'mongodb';
import { Connection } from 'mongodb/lib/cmap/connection';

export class FailingConnection extends Connection {
  constructor(socket: Socket, options: object) {
    super(socket, options);
    // After the driver's own listener, which fails what waits for an answer.
    socket.once('close', (hadError: boolean) => {
      if (!hadError) socket.emit('error', new MongoNetworkError('the connection was closed while a command was written'));
    });
  }
}
