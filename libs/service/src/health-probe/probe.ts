/**
 * Asks one server for its health (grpc.health.v1, the whole server). It speaks gRPC over Node's HTTP/2 itself, one call without a message
 * body, because a probe is a process that is started every few seconds: most of what it costs is loading modules, and grpc-js would
 * double that.
 */
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import type { ShownCertificate } from './probe-target';

const CHECK = '/grpc.health.v1.Health/Check';
/** A frame of gRPC begins with a byte (0: not compressed) and the length of its message in four. */
const FRAME_HEADER_BYTES = 5;
/** HealthCheckRequest { service: "" }: an empty message. */
const WHOLE_SERVER = Buffer.alloc(FRAME_HEADER_BYTES);
/** HealthCheckResponse { status: SERVING }. */
const SERVING = Buffer.from([0x08, 0x01]);
/** More than a response has; a server that sends more is not one of ours. */
const MAXIMUM_RESPONSE_BYTES = 1_024;
const GRPC_OK = 0;
/** Below the time limit that orchestrators set for a probe, so that the reason is printed. */
const ANSWER_LIMIT_MS = 3_000;
/** TLS wants a name, not an address. The certificate is not verified: its names are those of callers, and a probe sends no secret. */
const UNVERIFIED = { servername: 'localhost', rejectUnauthorized: false };

export type ProbeState =
  | 'SERVING'
  /** It answers, and says that it does not serve, or refuses to say. */
  | 'NOT_SERVING'
  /** Something listens there and gives no answer. */
  | 'SILENT'
  /** Nothing listens there. */
  | 'ABSENT';

export interface ProbeAnswer {
  readonly state: ProbeState;
  /** Why it is not SERVING; empty: the server gave no reason. */
  readonly detail: string;
}

/**
 * Never rejects.
 *
 * @param shown undefined: plain text
 */
export async function probe(address: string, shown: ShownCertificate | undefined, limitMs = ANSWER_LIMIT_MS): Promise<ProbeAnswer> {
  const session = shown === undefined ? connect(`http://${address}`) : connect(`https://${address}`, { ...shown, ...UNVERIFIED });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<ProbeAnswer>((resolve) => {
    timer = setTimeout(() => resolve({ state: 'SILENT', detail: `no answer in ${limitMs} ms` }), limitMs);
  });
  try {
    return await Promise.race([answerOf(session), late]);
  } finally {
    clearTimeout(timer);
    session.destroy();
  }
}

function answerOf(session: ClientHttp2Session): Promise<ProbeAnswer> {
  return new Promise((resolve) => {
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: CHECK,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      [constants.HTTP2_HEADER_TE]: 'trailers',
    });
    let response = Buffer.alloc(0);
    let answer: IncomingHttpHeaders = {};
    // A refusal without a message has its status in the headers, every other answer in the trailers.
    stream.on('response', (headers: IncomingHttpHeaders) => (answer = headers));
    stream.on('trailers', (trailers: IncomingHttpHeaders) => (answer = trailers));
    stream.on('data', (chunk: Buffer) => {
      response = Buffer.concat([response, chunk]);
      if (response.length > MAXIMUM_RESPONSE_BYTES) stream.close();
    });
    // The stream fails because the connection does, and only the connection knows why.
    stream.on('error', () => undefined);
    let why: NodeJS.ErrnoException | undefined;
    session.on('error', (error: NodeJS.ErrnoException) => (why = error));
    session.on('close', () => resolve(read(answer, response, why)));
    stream.on('close', () => session.destroy());
    stream.end(WHOLE_SERVER);
  });
}

/** @param why the connection failed; undefined: it did not */
function read(answer: IncomingHttpHeaders, response: Buffer, why: NodeJS.ErrnoException | undefined): ProbeAnswer {
  const code = answer['grpc-status'];
  if (code === undefined) {
    if (why?.code === 'ECONNREFUSED') return { state: 'ABSENT', detail: 'nothing listens there' };
    return { state: 'SILENT', detail: why?.message ?? 'the connection was closed without an answer' };
  }
  if (Number(code) !== GRPC_OK) return { state: 'NOT_SERVING', detail: `status ${String(code)}: ${String(answer['grpc-message'] ?? '')}` };
  return { state: response.subarray(FRAME_HEADER_BYTES).equals(SERVING) ? 'SERVING' : 'NOT_SERVING', detail: '' };
}
