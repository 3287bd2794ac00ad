/** How callers reach the services: in plain text and without a name, or by TLS and with a token. */
import { type ChannelCredentials, credentials, Metadata } from '@grpc/grpc-js';

export interface Access {
  readonly credentials: ChannelCredentials;
  /** Bearer token sent with every call; undefined: none. */
  readonly token: string | undefined;
}

export const PLAIN_ACCESS: Access = { credentials: credentials.createInsecure(), token: undefined };

/** A process that was killed is looked for again at once, not after grpc-js's growing pauses. */
export const QUICK_RECONNECT = { 'grpc.initial_reconnect_backoff_ms': 50, 'grpc.max_reconnect_backoff_ms': 100, 'grpc.enable_retries': 0 };

export function metadataOf({ token }: Access): Metadata {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}
