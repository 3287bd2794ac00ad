/**
 * The ways to the other command instances: one channel per address, opened when it is needed, closed when it was not used for a while.
 */
import { type ChannelCredentials, type Metadata, credentials as grpcCredentials } from '@grpc/grpc-js';
import { accountpb } from '@sluice/protocol';
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

export class PeerConnections {
  private readonly clients = new Map<string, accountpb.AccountCommandServiceClient>();

  constructor(private readonly options: PeerOptions = {}) {}

  client(address: string): accountpb.AccountCommandServiceClient {
    let client = this.clients.get(address);
    if (client === undefined) {
      if (this.clients.size >= MAXIMUM_PEERS) this.close();
      client = new accountpb.AccountCommandServiceClient(address, this.options.credentials ?? grpcCredentials.createInsecure(), {
        'grpc.max_send_message_length': MAXIMUM_MESSAGE_BYTES,
        'grpc.max_receive_message_length': MAXIMUM_MESSAGE_BYTES,
        'grpc.enable_retries': 0,
        'grpc.initial_reconnect_backoff_ms': 50,
        'grpc.max_reconnect_backoff_ms': 500,
        interceptors: isTracing() ? [tracingInterceptor] : [],
      });
      this.clients.set(address, client);
    }
    return client;
  }

  /** Adds this instance's own token to what is sent. */
  sign(metadata: Metadata): Metadata {
    if (this.options.token !== undefined) metadata.set('authorization', `Bearer ${this.options.token}`);
    return metadata;
  }

  close(): void {
    for (const client of this.clients.values()) client.close();
    this.clients.clear();
  }
}
