/**
 * The ways to the services: one gRPC channel per address, shared by all clients of it. Retries are this library's own,
 * because only it knows the request ids; those of grpc-js are off.
 */
import { type ChannelCredentials, type ChannelOptions, credentials, Metadata } from '@grpc/grpc-js';

export interface TlsOptions {
  /** Certificates (PEM) of the authorities to believe; default: those of Node. */
  readonly rootCertificates?: Buffer;
  /** Key and certificate chain (PEM) of this client, where the server wants mutual TLS. */
  readonly privateKey?: Buffer;
  readonly certificateChain?: Buffer;
  /** Name that the server's certificate must carry, where it is not the address's. */
  readonly serverName?: string;
}

/** What the services take at most, with room for the framing. */
const MAXIMUM_MESSAGE_BYTES = 9 * 1024 * 1024;

export function channelCredentials(tls: TlsOptions | undefined): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  return credentials.createSsl(tls.rootCertificates ?? null, tls.privateKey ?? null, tls.certificateChain ?? null);
}

export function channelOptions(tls: TlsOptions | undefined): ChannelOptions {
  const options: ChannelOptions = {
    'grpc.enable_retries': 0,
    'grpc.max_send_message_length': MAXIMUM_MESSAGE_BYTES,
    'grpc.max_receive_message_length': MAXIMUM_MESSAGE_BYTES,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1_000,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
  };
  if (tls?.serverName !== undefined) options['grpc.ssl_target_name_override'] = tls.serverName;
  return options;
}

/** What every call carries. */
export function callMetadata(token: string | undefined): Metadata {
  const metadata = new Metadata();
  if (token !== undefined && token !== '') metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}
