/**
 * Channels to the other command instances: one per address, opened when a hop needs it. Beyond a number of addresses the one
 * that was not used for longest is closed.
 */
import { type ChannelCredentials, Client, type ClientUnaryCall, credentials as grpcCredentials, type Metadata, type ServiceError } from '@grpc/grpc-js';
import { tracingInterceptor } from '@sluice/service';
import { isTracing } from '@sluice/telemetry';

export interface PeerOptions {
  /** Default: plain text, as on loopback. */
  readonly credentials?: ChannelCredentials;
  /** Token with the role "peer", where servers authenticate. */
  readonly token?: string;
}

/** Room above the message limit for what forwarding adds. */
const MAXIMUM_MESSAGE_BYTES = 9 << 20;
const MAXIMUM_PEERS = 1_000;

export interface PeerRequest {
  readonly path: string;
  readonly bytes: Buffer;
  readonly metadata: Metadata;
  /** Milliseconds since the epoch; Infinity: none. */
  readonly deadlineMs: number;
}

/** How a hop reaches other instances. */
export interface PeerTransport {
  /** Calls the method of the peer. A cancelled call is done, too, with a CANCELLED error. */
  send(address: string, request: PeerRequest, done: (error: ServiceError | null, response?: Buffer) => void): { cancel(): void };
  close(): void;
}

export class PeerConnections implements PeerTransport {
  /** In the order of use, longest unused first. */
  private readonly clients = new Map<string, Client>();

  constructor(private readonly options: PeerOptions) {}

  send(address: string, { path, bytes, metadata, deadlineMs }: PeerRequest, done: (error: ServiceError | null, response?: Buffer) => void): ClientUnaryCall {
    if (this.options.token !== undefined) metadata.set('authorization', `Bearer ${this.options.token}`);
    return this.client(address).makeUnaryRequest(path, asIs, asIs, bytes, metadata, { deadline: deadlineMs }, done);
  }

  close(): void {
    for (const client of this.clients.values()) client.close();
    this.clients.clear();
  }

  private client(address: string): Client {
    const client = this.clients.get(address) ?? this.connect(address);
    this.clients.delete(address);
    this.clients.set(address, client);
    if (this.clients.size > MAXIMUM_PEERS) this.closeLongestUnused();
    return client;
  }

  private connect(address: string): Client {
    return new Client(address, this.options.credentials ?? grpcCredentials.createInsecure(), {
      'grpc.max_send_message_length': MAXIMUM_MESSAGE_BYTES,
      'grpc.max_receive_message_length': MAXIMUM_MESSAGE_BYTES,
      'grpc.enable_retries': 0,
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': 500,
      interceptors: isTracing() ? [tracingInterceptor] : [],
    });
  }

  private closeLongestUnused(): void {
    for (const [address, client] of this.clients) {
      client.close();
      this.clients.delete(address);
      return;
    }
  }
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
