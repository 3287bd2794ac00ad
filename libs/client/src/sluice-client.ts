/**
 * The client: one object per process is enough, for any number of callers at once.
 *
 * It keeps a channel per address, draws postings of the same time together, repeats what failed for want of a server with
 * the same request id, and remembers how new its reads must be.
 */
import { type ChannelInterface, Client } from '@grpc/grpc-js';
import { healthpb, logpb, projectionpb, schedulerpb } from '@sluice/protocol';
import { Caller } from './caller';
import { callMetadata, channelCredentials, channelOptions, type TlsOptions } from './channel';
import type { ClientContext } from './client-capability';
import { LogClient } from './log-client';
import { PositionTracker } from './position-tracker';
import type { BatchingOptions } from './batching-options';
import { CLIENT_CAPABILITIES } from './capabilities.generated';
import { ProjectionClient } from './projection-client';
import { Reads } from './reads';
import { type RetryOptions, retryPolicy } from './retry';
import { SchedulerClient } from './scheduler-client';
import { SluiceError } from './sluice-error';

export const DEFAULT_TARGET = '127.0.0.1:7400';

export interface SluiceClientOptions {
  /** HOST:PORT of the command service, and of every other one that has no target of its own. Default 127.0.0.1:7400. */
  readonly target?: string;
  readonly queryTarget?: string;
  readonly projectorTarget?: string;
  readonly schedulerTarget?: string;
  /** Encrypt, with these certificates. Default: plain text. */
  readonly tls?: TlsOptions;
  /** Bearer token, or what gives the one in force. */
  readonly token?: string | (() => string);
  /** Milliseconds until a call is given up, repeats included. Default 10,000. */
  readonly deadlineMs?: number;
  /** Whether reads wait for what this client wrote. Default true. */
  readonly readYourWrites?: boolean;
  readonly retry?: RetryOptions;
  readonly batching?: BatchingOptions;
  /** Makes what carries the calls to an address. Default: a gRPC channel over TCP; `tls` is about that one. */
  readonly channel?: (address: string) => ChannelInterface;
}

const DEFAULT_DEADLINE_MS = 10_000;

/** What every client has, whatever the capabilities. */
class ConnectedClient {
  readonly target: string;
  readonly log: LogClient;
  readonly projection: ProjectionClient;
  readonly scheduler: SchedulerClient;
  readonly #channels: readonly ChannelInterface[];
  readonly #health: healthpb.HealthClient;
  readonly #caller: Caller;
  readonly #positions = new PositionTracker();

  constructor(options: SluiceClientOptions = {}) {
    const { tls, token, target = DEFAULT_TARGET, queryTarget = target, projectorTarget = target, schedulerTarget = target } = options;
    this.target = target;
    this.#caller = new Caller({
      deadlineMs: options.deadlineMs ?? DEFAULT_DEADLINE_MS,
      retry: retryPolicy(options.retry),
      metadata: () => callMetadata(typeof token === 'function' ? token() : token),
    });
    const credentials = channelCredentials(tls);
    const channels = new Map<string, ChannelInterface>();
    const { channel: connect = (address: string) => new Client(address, credentials, channelOptions(tls)).getChannel() } = options;
    const channelTo = (address: string) => {
      const channel = channels.get(address) ?? connect(address);
      channels.set(address, channel);
      return { ...channelOptions(tls), channelOverride: channel };
    };
    const context: ClientContext = {
      caller: this.#caller,
      positions: this.#positions,
      reads: new Reads(this.#caller, this.#positions, options.readYourWrites ?? true),
      batching: options.batching,
      command: (Stub) => new Stub(target, credentials, channelTo(target)),
      query: (Stub) => new Stub(queryTarget, credentials, channelTo(queryTarget)),
      projector: (Stub) => new Stub(projectorTarget, credentials, channelTo(projectorTarget)),
    };
    for (const capability of CLIENT_CAPABILITIES) Object.assign(this, capability.clients(context));
    this.log = new LogClient(this.#caller, new logpb.LogServiceClient(projectorTarget, credentials, channelTo(projectorTarget)));
    this.projection = new ProjectionClient(this.#caller, new projectionpb.ProjectionServiceClient(projectorTarget, credentials, channelTo(projectorTarget)));
    this.scheduler = new SchedulerClient(this.#caller, new schedulerpb.SchedulerServiceClient(schedulerTarget, credentials, channelTo(schedulerTarget)));
    this.#health = new healthpb.HealthClient(target, credentials, channelTo(target));
    this.#channels = [...channels.values()];
  }

  /** Covers everything that this client has written so far; for reads by somebody else. Empty: nothing yet. */
  get positionToken(): string {
    return this.#positions.token;
  }

  /** Resolves when the command service says that it serves; throws UNAVAILABLE when it does not in time. */
  async waitUntilServing(deadlineMs = DEFAULT_DEADLINE_MS): Promise<void> {
    const deadlineAt = Date.now() + deadlineMs;
    await new Promise<void>((resolve, reject) => {
      this.#health.waitForReady(deadlineAt, (error) => {
        if (error === undefined) resolve();
        else reject(new SluiceError({ code: 'UNAVAILABLE', reason: '', message: `no server answers at ${this.target}`, cause: error }));
      });
    });
    const check = this.#health.check.bind(this.#health);
    for (let repeat = 1; ; repeat += 1) {
      const { status } = await this.#caller.attempt(check, { service: '' }, deadlineAt);
      if (status === healthpb.HealthCheckResponse_ServingStatus.SERVING) return;
      await this.#caller.waitForRepeat(
        new SluiceError({ code: 'UNAVAILABLE', reason: '', message: `the server at ${this.target} does not serve yet` }),
        repeat,
        deadlineAt,
      );
    }
  }

  /** Closes the connections; calls under way are cancelled. */
  close(): void {
    for (const channel of this.#channels) channel.close();
  }
}

type Both<Each> = (Each extends unknown ? (each: Each) => void : never) extends (all: infer All) => void ? All : never;
/** The clients of all capabilities, by the names that they give them. */
type CapabilityClients = Both<ReturnType<(typeof CLIENT_CAPABILITIES)[number]['clients']>>;

export type SluiceClient = ConnectedClient & CapabilityClients;
export const SluiceClient = ConnectedClient as new (options?: SluiceClientOptions) => SluiceClient;
