/**
 * Channels to command instances: one per address, opened when a hop needs it. Beyond a number of addresses the one
 * that was not used for longest is closed.
 *
 * A peer whose host is stopped or cut off closes nothing. A connection in use is pinged, and one whose pings stay unanswered is
 * cut: its hops fail and may go elsewhere. A connection that does not come about in time is given up, so that the next hop
 * begins a new one instead of waiting for the machine's own retries.
 */
import {
  type ChannelCredentials,
  Client,
  type ClientUnaryCall,
  connectivityState,
  credentials as grpcCredentials,
  type Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import type { Clock } from '@sluice/ports';
import { isTracing } from '@sluice/telemetry';
import { tracingInterceptor } from '../client-tracing';
import type { ForwardedCall, HopProof } from '../hop-proof';
import { DEFAULT_MAXIMUM_MESSAGE_BYTES, PEER_MESSAGE_BYTES } from '../transport';
import { HandshakeLimit } from './handshake-limit';

export interface PeerOptions {
  /** By which this instance proves to the others that it belongs to the deployment. */
  readonly proof: HopProof;
  /** Default: plain text, as on loopback. */
  readonly credentials?: ChannelCredentials;
  /** Token with the role "peer", where servers authenticate. */
  readonly token?: string;
  /** The largest message that servers of this deployment take. */
  readonly maximumMessageBytes?: number;
}

export interface PeerRequest {
  readonly path: string;
  readonly bytes: Buffer;
  /** For whom, and to which partition. */
  readonly forwarded: ForwardedCall;
  /** Milliseconds since the epoch; Infinity: none. */
  readonly deadlineMs: number;
}

/** How a hop reaches other instances. */
export interface PeerTransport {
  /** Calls the method of the peer. A cancelled call is done, too, with a CANCELLED error. */
  send(address: string, request: PeerRequest, done: (error: ServiceError | null, response?: Buffer) => void): { cancel(): void };
  close(): void;
}

/** How the scheduler reaches command instances: calls, and streams of answers. */
export interface PeerChannels extends PeerTransport {
  stream(address: string, request: PeerRequest, listener: PeerStreamListener): { cancel(): void };
}

export interface PeerStreamListener {
  readonly message: (bytes: Buffer) => void;
  /** The stream ended, or was cut, and brings no more; called once. */
  readonly ended: (error: Error | undefined) => void;
}

/** A connection with calls is pinged so often. */
const PING_INTERVAL_MS = 1_000;
/** A ping that is not answered for so long ends the connection. Longer than an event loop may be busy. */
const PING_TIMEOUT_MS = 3_000;
/** From the first packet of a connection to its first byte of HTTP/2. */
const CONNECT_LIMIT_MS = 3_000;
/** What an answer may have beyond the largest request: 10,000 verdicts, each with a text of some 400 bytes at most. */
const ANSWER_ROOM_BYTES = 4 << 20;
/** What may be on its way to this instance on one connection. */
const RECEIVE_WINDOW_BYTES = 4 << 20;
const FIRST_RECONNECT_PAUSE_MS = 50;
const LONGEST_RECONNECT_PAUSE_MS = 500;
const MAXIMUM_PEERS = 1_000;

interface Peer {
  readonly client: Client;
  /** Set while a connection is awaited. */
  cancelLimit: (() => void) | undefined;
}

export class PeerConnections implements PeerChannels {
  /** In the order of use, longest unused first. */
  private readonly peers = new Map<string, Peer>();

  constructor(
    private readonly options: PeerOptions,
    private readonly clock: Clock,
  ) {}

  send(address: string, request: PeerRequest, done: (error: ServiceError | null, response?: Buffer) => void): ClientUnaryCall {
    const { path, bytes, deadlineMs } = request;
    return this.connected(address).makeUnaryRequest(path, asIs, asIs, bytes, this.metadataOf(request), { deadline: deadlineMs }, done);
  }

  /** Opens a stream of answers. A peer that falls silent ends it, because its pings stay unanswered. A cancelled stream ends, too, with an error. */
  stream(address: string, request: PeerRequest, listener: PeerStreamListener): { cancel(): void } {
    const { path, bytes, deadlineMs } = request;
    const call = this.connected(address).makeServerStreamRequest(path, asIs, asIs, bytes, this.metadataOf(request), { deadline: deadlineMs });
    let ended = false;
    const end = (error: Error | undefined): void => {
      if (!ended) listener.ended(error);
      ended = true;
    };
    call.on('data', (message: Buffer) => listener.message(message));
    call.on('error', end);
    call.on('end', () => end(undefined));
    return call;
  }

  close(): void {
    for (const address of [...this.peers.keys()]) this.drop(address);
  }

  private metadataOf({ path, forwarded }: PeerRequest): Metadata {
    const { proof, token } = this.options;
    const metadata = proof.metadataOf(path, forwarded);
    if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
    return metadata;
  }

  private connected(address: string): Client {
    const peer = this.peer(address);
    this.limitConnecting(address, peer);
    return peer.client;
  }

  private peer(address: string): Peer {
    const peer = this.peers.get(address) ?? { client: this.connect(address), cancelLimit: undefined };
    this.peers.delete(address);
    this.peers.set(address, peer);
    if (this.peers.size > MAXIMUM_PEERS) this.drop(this.peers.keys().next().value as string);
    return peer;
  }

  private connect(address: string): Client {
    const maximumMessageBytes = Math.max(this.options.maximumMessageBytes ?? DEFAULT_MAXIMUM_MESSAGE_BYTES, PEER_MESSAGE_BYTES) + ANSWER_ROOM_BYTES;
    return new Client(address, new HandshakeLimit(this.options.credentials ?? grpcCredentials.createInsecure(), CONNECT_LIMIT_MS, this.clock), {
      'grpc.max_send_message_length': maximumMessageBytes,
      'grpc.max_receive_message_length': maximumMessageBytes,
      'grpc.enable_retries': 0,
      'grpc.enable_http_proxy': 0,
      'grpc.enable_channelz': 0,
      'grpc.initial_reconnect_backoff_ms': FIRST_RECONNECT_PAUSE_MS,
      'grpc.max_reconnect_backoff_ms': LONGEST_RECONNECT_PAUSE_MS,
      'grpc.keepalive_time_ms': PING_INTERVAL_MS,
      'grpc.keepalive_timeout_ms': PING_TIMEOUT_MS,
      'grpc-node.flow_control_window': RECEIVE_WINDOW_BYTES,
      // A channel that is given up must not leave its half-open connection to the next one.
      'grpc.use_local_subchannel_pool': 1,
      interceptors: isTracing() ? [tracingInterceptor] : [],
    });
  }

  /** Gives the channel up, and with it the calls that wait for it, if it is still connecting after the limit. */
  private limitConnecting(address: string, peer: Peer): void {
    if (peer.cancelLimit !== undefined || isReady(peer)) return;
    peer.cancelLimit = this.clock.after(CONNECT_LIMIT_MS, () => {
      peer.cancelLimit = undefined;
      if (peer.client.getChannel().getConnectivityState(false) === connectivityState.CONNECTING && this.peers.get(address) === peer) this.drop(address);
    });
  }

  private drop(address: string): void {
    const peer = this.peers.get(address);
    this.peers.delete(address);
    peer?.cancelLimit?.();
    peer?.client.close();
  }
}

function isReady({ client }: Peer): boolean {
  return client.getChannel().getConnectivityState(false) === connectivityState.READY;
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
