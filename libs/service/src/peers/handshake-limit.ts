/**
 * Channel credentials that give a connection a limited time to become one. A stopped process still accepts connections, because
 * its machine does, and then says nothing; gRPC would wait for it without end.
 */
import type { Socket } from 'node:net';
import { ChannelCredentials } from '@grpc/grpc-js';
import type { Clock } from '@sluice/ports';

type Connector = ReturnType<ChannelCredentials['_createSecureConnector']>;
type ConnectorParameters = Parameters<ChannelCredentials['_createSecureConnector']>;

export class HandshakeLimit extends ChannelCredentials {
  constructor(
    private readonly credentials: ChannelCredentials,
    private readonly limitMs: number,
    private readonly clock: Clock,
  ) {
    super();
  }

  override _isSecure(): boolean {
    return this.credentials._isSecure();
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(...parameters: ConnectorParameters): Connector {
    const connector = this.credentials._createSecureConnector(...parameters);
    return {
      connect: (socket) => this.connect(connector, socket),
      waitForReady: () => connector.waitForReady(),
      getCallCredentials: () => connector.getCallCredentials(),
      destroy: () => connector.destroy(),
    };
  }

  /** Destroys the socket when TLS, or after it the first byte of the server, takes longer than the limit. */
  private connect(connector: Connector, plain: Socket): ReturnType<Connector['connect']> {
    return new Promise((resolve, reject) => {
      const silent = new Error(`the server said nothing for ${this.limitMs} ms`);
      let secured: Socket | undefined;
      const cancel = this.clock.after(this.limitMs, () => {
        if (secured === undefined) plain.destroy(silent);
        else if (secured.bytesRead === 0) secured.destroy(silent);
      });
      plain.once('close', () => {
        cancel();
        reject(silent);
      });
      connector.connect(plain).then((connected) => {
        secured = connected.socket;
        resolve(connected);
      }, reject);
    });
  }
}
