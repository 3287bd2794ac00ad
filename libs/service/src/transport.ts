/**
 * The grpc-js server under the kit: limits, keep-alive, HTTP/2 windows, and what grpc-js says by itself.
 *
 * Three things grpc-js 1.14 has no option for, and that are reached through its own parts here: the server's HTTP/2 receive
 * windows (64 KiB by default, less than one batch: a large batch would wait for the window several times) the number of
 * connections, and connections to cut at the end. Where a later grpc-js has no such parts the server works with the defaults; a test says so.
 */
import type { Http2Server, ServerHttp2Session } from 'node:http2';
import { logVerbosity, Server, type ServerCredentials, setLogVerbosity, type ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';
import { REASONS, type Reason } from './reasons';
import { detailsMetadata, STATUS_DETAILS_KEY } from './sluice-error';

// What grpc-js has to say reaches us as errors; it would say it a second time on standard error.
if (process.env.GRPC_VERBOSITY === undefined) setLogVerbosity(logVerbosity.NONE);

type PartialStatusObject = Parameters<ServerInterceptingCall['sendStatus']>[0];

/** Default of `SLUICE_MAX_MESSAGE_BYTES`. */
export const DEFAULT_MAXIMUM_MESSAGE_BYTES = 8 * 1024 * 1024;
/** Messages that instances of a deployment send each other are taken up to this size, whatever callers may send: a batch of deliveries has to pass. */
export const PEER_MESSAGE_BYTES = 2 * 1024 * 1024;
/** What may be on its way in one stream before we have read it. */
const STREAM_WINDOW_BYTES = 4 * 1024 * 1024;
/** What may be on its way in one connection before we have read it. */
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;
const KEEPALIVE_TIME_MS = 60_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;

export interface TransportLimits {
  /** Of callers. */
  readonly maximumMessageBytes: number;
  readonly maximumConnections: number;
  readonly maximumStreamsPerConnection: number;
}

export class Transport {
  readonly server: Server;
  private readonly sessions = new Set<ServerHttp2Session>();

  constructor(private readonly limits: TransportLimits) {
    this.server = new Server({
      'grpc.max_receive_message_length': Math.max(limits.maximumMessageBytes, PEER_MESSAGE_BYTES),
      'grpc.max_send_message_length': -1,
      'grpc.max_concurrent_streams': limits.maximumStreamsPerConnection,
      'grpc.keepalive_time_ms': KEEPALIVE_TIME_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
      'grpc.enable_channelz': 0,
      interceptors: [explainingInterceptor(limits.maximumMessageBytes)],
    });
    const options = this.server['commonServerOptions'] as { settings?: Record<string, number> } | undefined;
    if (options !== undefined) options.settings = { ...options.settings, initialWindowSize: STREAM_WINDOW_BYTES };
  }

  /** Resolves with the port. */
  async listen(address: string, credentials: ServerCredentials): Promise<number> {
    const port = await new Promise<number>((resolve, reject) => {
      this.server.bindAsync(address, credentials, (error, bound) => (error === null ? resolve(bound) : reject(error)));
    });
    const servers = this.server['http2Servers'] as Map<Http2Server, unknown> | undefined;
    for (const http2Server of servers?.keys() ?? []) {
      http2Server.maxConnections = this.limits.maximumConnections;
      http2Server.on('session', (session: ServerHttp2Session) => this.opened(session));
    }
    return port;
  }

  /** Nobody connects any more; resolves when the last stream of the last connection is done. */
  drain(): Promise<void> {
    return new Promise((resolve) => this.server.tryShutdown(() => resolve()));
  }

  /** Cuts what is left. grpc-js alone would leave the connections open when its channelz is off. */
  cut(): void {
    this.server.forceShutdown();
    for (const session of this.sessions) session.destroy();
  }

  private opened(session: ServerHttp2Session): void {
    this.sessions.add(session);
    session.once('close', () => this.sessions.delete(session));
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
  }
}

/** Statuses that grpc-js makes itself get a reason like ours, so that callers need to know one form only. */
function explainingInterceptor(maximumMessageBytes: number): ServerInterceptor {
  return (_method, call) => {
    const base = call as ServerInterceptingCall;
    const send = base.sendStatus.bind(base);
    base.sendStatus = (sent) => send(explain(sent, maximumMessageBytes));
    return base;
  };
}

export function tooLarge(maximumMessageBytes: number): string {
  return `the message is larger than ${maximumMessageBytes} bytes; send smaller batches`;
}

function explain(sent: PartialStatusObject, maximumMessageBytes: number): PartialStatusObject {
  if (sent.code === status.OK || (sent.metadata?.get(STATUS_DETAILS_KEY) ?? []).length > 0) return sent;
  const reason = reasonOf(sent);
  if (reason === undefined) return sent;
  const message = reason === 'MESSAGE_TOO_LARGE' ? tooLarge(maximumMessageBytes) : REASONS[reason].when;
  return { code: sent.code, details: message, metadata: detailsMetadata(sent.code, message, reason, {}) };
}

function reasonOf(sent: PartialStatusObject): Reason | undefined {
  switch (sent.code) {
    case status.DEADLINE_EXCEEDED:
      return 'DEADLINE_EXCEEDED';
    case status.RESOURCE_EXHAUSTED:
      return sent.details?.startsWith('Received message') === true ? 'MESSAGE_TOO_LARGE' : undefined;
    default:
      return undefined;
  }
}
