/** The part of the driver's connection that we extend. The driver ships no types for it. */
declare module 'mongodb/lib/cmap/connection' {
  export class Connection {
    readonly id: unknown;
    constructor(socket: import('node:net').Socket, options: object);
    command(namespace: object, command: object, options?: object): Promise<unknown>;
  }
}
