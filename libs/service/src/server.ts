/**
 * One gRPC server: the services it is given, health, reflection, limits, authentication, and an orderly end.
 *
 *   opened ──begin──► started ──setServing(true)──► serving ──stop──► handing over ──► draining ──(calls done or grace over)──► stopped
 *
 * Opened: it listens and refuses every call (UNAVAILABLE, STARTING), because what the services need is not there yet.
 * Handing over: health says NOT_SERVING, callers are refused (UNAVAILABLE, SHUTTING_DOWN), calls in flight go on, streams are
 * asked to end. What peers send on still comes in, because this instance may own what it is for until that is handed over.
 * Draining: peers are refused, too; calls in flight are finished. When the grace time is over, counted from the beginning, what is left is cut.
 */
import { ServerCredentials, type ServiceDefinition, type StatusObject, type UntypedHandleCall, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { type Clock, systemClock } from '@sluice/ports';
import { type Logger, type Metrics, silentLogger } from '@sluice/telemetry';
import { Admission, type Authenticator } from './admission';
import { AnswerDeadlines } from './answer-deadlines';
import type { Role } from './caller';
import { Health } from './health';
import type { HopProof } from './hop-proof';
import { isLoopback, joinAddress, PlainTextBeyondLoopbackError } from './listen-address';
import { bindMethod, OpenStreams } from './method-binding';
import { RateLimitedLog } from './rate-limited-log';
import { RateLimiter, type RateLimit } from './rate-limit';
import { addReflection } from './reflection';
import { RoundBudget } from './round-budget';
import { roleOf, type ServiceRegistration } from './service-runtime';
import { refusal, statusOf } from './sluice-error';
import { DEFAULT_MAXIMUM_MESSAGE_BYTES, Transport } from './transport';

export interface ServerOptions {
  /** An address of this machine; a name is resolved. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Undefined: plain text. */
  readonly credentials?: ServerCredentials;
  /** Plain text beyond loopback is meant. */
  readonly insecure?: boolean;
  readonly logger?: Logger;
  /** Undefined: calls are not counted. */
  readonly metrics?: Metrics;
  readonly maxMessageBytes?: number;
  /** Connections at a time; more are closed at once. */
  readonly maxConnections?: number;
  /** Calls in flight on one connection; more wait at the caller. */
  readonly maxStreamsPerConnection?: number;
  /** Calls in flight on the whole server; more are refused with TOO_MANY_CALLS. */
  readonly maxCalls?: number;
  /** Undefined: everybody may do everything. */
  readonly authenticator?: Authenticator;
  /** Undefined: no limit. */
  readonly rateLimit?: RateLimit & { readonly clock: Clock };
  /** By which a caller that reads none of its answers is noticed. Default: the machine's. */
  readonly clock?: Clock;
  /** By which peers prove that a call is sent on; undefined: no call is sent on to this server. */
  readonly hopProof?: HopProof;
}

export interface RunningServer {
  readonly port: number;
  /** HOST:PORT. */
  readonly address: string;
  /** Readiness of one service, or of all. */
  setServing(serving: boolean, service?: string): void;
  /**
   * Stops; resolves when nothing listens or runs any more. The second call waits for the first.
   * @param handOver hands to other instances what this one owns, while calls in flight are finished. Must be bounded; its failure is thrown at the end.
   */
  stop(graceMs: number, handOver?: () => Promise<void>): Promise<void>;
}

export class ListenError extends Error {
  constructor(address: string, cause: Error) {
    super(`cannot listen on ${address}: ${cause.message.replace(/^.*bound: ?/, '')}`, { cause });
    this.name = 'ListenError';
  }
}

const DEFAULT_MAXIMUM_CONNECTIONS = 10_000;
const DEFAULT_MAXIMUM_STREAMS_PER_CONNECTION = 1_000;
const DEFAULT_MAXIMUM_CALLS = 20_000;
/** Requests that are begun in one round of the event loop, and answers that are written in one; one of n × 4 KiB counts as n + 1. Each takes 20 to 100 µs. */
const READS_PER_ROUND = 128;
const ANSWERS_PER_ROUND = 128;
const UNPROVEN =
  'a call claims to be sent on by another instance and does not prove it: it is taken as the own call of its sender. ' +
  'If it comes from an instance, give all instances of the deployment the same SLUICE_KEYRING_SECRET and SLUICE_DEPLOYMENT';
/** After the last call: how long its last frames may take to leave before connections are cut. */
const FLUSH_MS = 250;

/** A server that listens, and says by its health that it does not serve, while what its services need is still being opened. */
export interface OpenedServer extends RunningServer {
  /** From now on the services answer; before they refuse with STARTING. To be called once. */
  begin(registrations: readonly ServiceRegistration[]): void;
}

export async function startServer(options: ServerOptions, registrations: readonly ServiceRegistration[]): Promise<RunningServer> {
  const server = await openServer(options, registrations);
  try {
    server.begin(registrations);
  } catch (error) {
    await server.stop(0);
    throw error;
  }
  return server;
}

/** For processes whose address must be known before they can serve, and that should tell what they wait for. */
export async function openServer(options: ServerOptions, services: readonly Pick<ServiceRegistration, 'name' | 'definition'>[]): Promise<OpenedServer> {
  const { host, credentials, logger = silentLogger } = options;
  if (credentials === undefined && options.insecure !== true && !isLoopback(host)) throw new PlainTextBeyondLoopbackError(host);

  const limits = {
    maximumMessageBytes: options.maxMessageBytes ?? DEFAULT_MAXIMUM_MESSAGE_BYTES,
    maximumConnections: options.maxConnections ?? DEFAULT_MAXIMUM_CONNECTIONS,
    maximumStreamsPerConnection: options.maxStreamsPerConnection ?? DEFAULT_MAXIMUM_STREAMS_PER_CONNECTION,
  };
  const transport = new Transport(limits);
  const unproven = new RateLimitedLog(logger, options.clock ?? systemClock);
  const admission = new Admission({
    authenticator: options.authenticator,
    rateLimiter: options.rateLimit && new RateLimiter(options.rateLimit, options.rateLimit.clock),
    maximumCalls: options.maxCalls ?? DEFAULT_MAXIMUM_CALLS,
    hopProof: options.hopProof,
    onUnproven: (call) => unproven.warn('unproven', { peer: call.getPeer(), method: call.getPath() }, UNPROVEN),
  });
  const streams = new OpenStreams();
  const clock = options.clock ?? systemClock;
  const deadlines = new AnswerDeadlines(clock);
  const pacing = { reads: new RoundBudget(READS_PER_ROUND), answers: new RoundBudget(ANSWERS_PER_ROUND), deadlines, clock };
  const duration = options.metrics?.enabled === true ? options.metrics.histogram('sluice.call.duration') : undefined;
  const names = services.map(({ name }) => name);
  const health = new Health(names);

  const add = (definition: ServiceDefinition, implementation: UntypedServiceImplementation, role: (method: string) => Role | undefined): void => {
    const boundDefinition: Record<string, unknown> = {};
    const boundImplementation: UntypedServiceImplementation = {};
    for (const [name, method] of Object.entries(definition)) {
      const handler = implementation[name] ?? implementation[method.originalName ?? name];
      if (handler === undefined) throw new Error(`${method.path} has no implementation`);
      const bound = bindMethod(method, handler, {
        role: role(name),
        admission,
        streams,
        pacing,
        maximumMessageBytes: limits.maximumMessageBytes,
        logger,
        duration,
      });
      boundDefinition[name] = bound.definition;
      boundImplementation[name] = bound.handler;
    }
    transport.server.addService(boundDefinition as ServiceDefinition, boundImplementation);
  };
  for (const { definition } of services) transport.server.addService(definition, refusingEverything(definition));
  const open = {
    addService: (definition: ServiceDefinition, implementation: UntypedServiceImplementation) => add(definition, implementation, () => undefined),
  };
  health.addToServer(open);
  addReflection(open, names);

  const address = joinAddress(host, options.port);
  const port = await transport.listen(address, credentials ?? ServerCredentials.createInsecure()).catch((error: Error) => {
    throw new ListenError(address, error);
  });

  let stopped: Promise<void> | undefined;
  const stop = async (graceMs: number, handOver: () => Promise<void>): Promise<void> => {
    const beganMs = performance.now();
    health.set(false);
    admission.closeToCallers();
    streams.endAll(refusal('SHUTTING_DOWN'));
    const [handedOver] = await Promise.allSettled([handOver()]);
    admission.close();
    const closed = transport.drain();
    await within(graceMs - (performance.now() - beganMs), admission.idle());
    await within(FLUSH_MS, closed);
    transport.cut();
    if (handedOver.status === 'rejected') throw handedOver.reason;
  };
  return {
    port,
    address: joinAddress(host, port),
    begin: (registrations) => {
      for (const { definition } of services) transport.server.removeService(definition);
      for (const registration of registrations) {
        add(registration.definition, registration.implementation, (method) => roleOf(registration, method));
        registration.readiness?.follow((ready) => health.setReady(ready, registration.name));
      }
    },
    setServing: (serving, service) => {
      if (stopped === undefined) health.set(serving, service);
    },
    stop: (graceMs, handOver = async () => undefined) => (stopped ??= stop(graceMs, handOver)),
  };
}

/** Stands in for services that are not there yet. */
function refusingEverything(definition: ServiceDefinition): UntypedServiceImplementation {
  const refuse = (call: { emit(event: 'error', sent: StatusObject): unknown }, callback?: (sent: StatusObject) => void): void => {
    const sent = statusOf(refusal('STARTING'));
    if (callback === undefined) call.emit('error', sent);
    else callback(sent);
  };
  return Object.fromEntries(Object.keys(definition).map((method) => [method, refuse as UntypedHandleCall]));
}

/** Waits for the promise, but not longer than that. */
async function within(milliseconds: number, promise: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([promise, over]);
  clearTimeout(timer);
}
