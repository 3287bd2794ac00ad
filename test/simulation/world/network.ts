/**
 * Calls between hosts: the encoded request travels to whatever serves the address at that moment, and the encoded answer back. Requests are
 * lost and repeated, answers are lost, as the plan says. A call that hears nothing ends at its deadline.
 */
import { EventEmitter } from 'node:events';
import { Metadata } from '@grpc/grpc-js';
import { ANYBODY, CallContext, functionOf, SluiceError, statusOf, type ServiceRegistration } from '@sluice/service';
import type { Life } from './life';
import type { World } from './world';

/** What a call ends with when it does not end well. */
export class CallFailed extends Error {
  constructor(
    /** Canonical gRPC code's name. */
    readonly code: 'UNAVAILABLE' | 'DEADLINE_EXCEEDED' | 'REFUSED',
    /** Stable reason; '' if no server said one. */
    readonly reason: string,
    message: string,
    /** What the server refused with. */
    readonly refusal?: SluiceError,
  ) {
    super(message);
    this.name = 'CallFailed';
  }
}

export interface CallOptions {
  /** Milliseconds after which the caller gives up; Infinity: never. */
  readonly limitMs: number;
  /** The partition for which a peer sends the call on. */
  readonly forwardedTo?: number;
  /** Ends the call for the caller, and tells the server. */
  readonly signal?: AbortSignal;
}

interface Server {
  readonly life: Life;
  readonly registrations: readonly ServiceRegistration[];
}

interface Codec {
  readonly path: string;
  requestSerialize(request: unknown): Buffer;
  requestDeserialize(bytes: Buffer): unknown;
  responseSerialize(response: unknown): Buffer;
  responseDeserialize(bytes: Buffer): unknown;
}

export class Network {
  readonly #servers = new Map<string, Server>();

  constructor(private readonly world: World) {}

  serve(address: string, life: Life, registrations: readonly ServiceRegistration[]): void {
    this.#servers.set(address, { life, registrations });
  }

  /** Calls a method given by its path ("/package.Service/Method") with encoded bytes. */
  async call(from: Life, address: string, path: string, request: Uint8Array, options: CallOptions): Promise<Buffer> {
    const { timeline, faults } = this.world;
    const { random } = from;
    const bytes = Buffer.from(request);
    const deadlineMs = Date.now() + options.limitMs;
    return new Promise<Buffer>((resolve, reject) => {
      let settled = false;
      const settle = (give: () => void): void =>
        from.continue(() => {
          if (settled) return;
          settled = true;
          give();
        });
      const gone = new AbortController();
      const giveUp = (code: CallFailed['code'], message: string): void => {
        gone.abort();
        settle(() => reject(new CallFailed(code, '', message)));
      };
      const link = new Link(this.world, from);
      if (!Number.isFinite(options.limitMs))
        link.watch(
          () => settled,
          (error) => settle(() => reject(error)),
        );
      if (Number.isFinite(options.limitMs)) timeline.schedule(options.limitMs * 1_000, () => giveUp('DEADLINE_EXCEEDED', `${address} does not answer`));
      options.signal?.addEventListener('abort', () => giveUp('UNAVAILABLE', 'the call was cancelled'), { once: true });
      if (!from.alive || from.cut || random.chance(faults.requestLost)) {
        link.broken = true;
        return;
      }
      const copies = random.chance(faults.requestRepeated) ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) {
        const { thereUs } = from.networkLatency();
        timeline.schedule(thereUs, () => {
          const server = this.#servers.get(address);
          if (server === undefined || !server.life.alive) {
            timeline.schedule(from.networkLatency().backUs, () => settle(() => reject(new CallFailed('UNAVAILABLE', '', `nothing listens at ${address}`))));
            return;
          }
          link.to = server.life;
          server.life.continue(() => {
            if (server.life.cut) {
              link.broken = true;
              return;
            }
            const answer = (give: () => void): void => {
              if (!server.life.alive || server.life.cut || random.chance(this.world.faults.answerLost)) {
                link.broken = true;
                return;
              }
              timeline.schedule(from.networkLatency().backUs, () => settle(give));
            };
            this.#run(server, path, bytes, contextOf(path, deadlineMs, options.forwardedTo, gone.signal)).then(
              (response) => answer(() => resolve(response)),
              (error: unknown) => answer(() => reject(asCallFailed(error))),
            );
          });
        });
      }
    });
  }

  /** Opens a stream of answers, which arrive in order. It ends when the server ends it, and when one of the two hosts is not heard of any more. */
  stream(from: Life, address: string, path: string, request: Uint8Array, { message, ended }: StreamListener): { cancel(): void } {
    const { timeline } = this.world;
    const bytes = Buffer.from(request);
    const gone = new AbortController();
    const link = new Link(this.world, from);
    let isOver = false;
    let lastArrivalUs = 0;
    const over = (error: Error | undefined): void =>
      from.continue(() => {
        if (isOver) return;
        isOver = true;
        gone.abort();
        ended(error);
      });
    const arrives = (tell: () => void): void => {
      lastArrivalUs = Math.max(timeline.nowUs + from.networkLatency().backUs, lastArrivalUs + 1);
      timeline.schedule(lastArrivalUs - timeline.nowUs, () => from.continue(() => (isOver ? undefined : tell())));
    };
    link.watch(() => isOver, over);
    link.broken = from.cut;
    timeline.schedule(from.networkLatency().thereUs, () => {
      if (link.broken) return;
      const server = this.#servers.get(address);
      if (server === undefined || !server.life.alive) {
        arrives(() => over(new CallFailed('UNAVAILABLE', '', `nothing listens at ${address}`)));
        return;
      }
      link.to = server.life;
      server.life.continue(() => {
        const { life } = server;
        if (life.cut) {
          link.broken = true;
          return;
        }
        const pump = async (): Promise<void> => {
          for await (const answer of this.#answers(server, path, bytes, contextOf(path, Number.POSITIVE_INFINITY, 0, gone.signal))) {
            if (gone.signal.aborted) return;
            // What a host that is cut off sends is lost, and with it the connection.
            if (!life.alive || life.cut) link.broken = true;
            else if (!link.broken) arrives(() => message(answer));
          }
        };
        pump().then(
          () => arrives(() => over(undefined)),
          (error: unknown) => arrives(() => over(asCallFailed(error))),
        );
      });
    });
    return { cancel: () => over(new CallFailed('UNAVAILABLE', '', 'the stream was cancelled')) };
  }

  async *#answers({ registrations }: Server, path: string, bytes: Buffer, call: CallContext): AsyncGenerator<Buffer> {
    const { method, carried } = found(registrations, path);
    if (carried?.form !== 'serverStream') throw new Error(`${path} is not a stream of answers`);
    for await (const answer of carried.run(method.requestDeserialize(bytes) as never, call)) yield method.responseSerialize(answer);
  }

  async #run({ registrations }: Server, path: string, bytes: Buffer, call: CallContext): Promise<Buffer> {
    const { method, carried } = found(registrations, path);
    if (carried?.form !== 'unary') throw new Error(`${path} is not a unary method`);
    return method.responseSerialize(await carried.run(method.requestDeserialize(bytes) as never, call));
  }
}

function found(registrations: readonly ServiceRegistration[], path: string): { method: Codec; carried: ReturnType<typeof functionOf> } {
  for (const { definition, implementation } of registrations) {
    for (const [name, method] of Object.entries(definition as Record<string, Codec>)) {
      if (method.path === path) return { method, carried: functionOf(implementation[name] as object) };
    }
  }
  throw new Error(`nothing serves ${path}`);
}

export interface StreamListener {
  readonly message: (bytes: Buffer) => void;
  /** Called once. */
  readonly ended: (error: Error | undefined) => void;
}

/** How often a connection that is in use looks whether the other host is heard of. */
const LOOK_US = 500_000;
/** A host that is not heard of for so long has lost its connections. */
const SILENCE_US = 3_000_000;

/** A connection between two hosts, as the pings of its two ends know it. */
class Link {
  /** The host at the other end, once it was reached. */
  to: Life | undefined;
  /** Something that was sent is lost. */
  broken = false;

  constructor(
    private readonly world: World,
    private readonly from: Life,
  ) {}

  /** Tells once that the connection is lost, unless it is over before. */
  watch(isOver: () => boolean, lost: (error: CallFailed) => void): void {
    const { timeline } = this.world;
    let silentSinceUs: number | undefined;
    const look = (): void => {
      if (isOver() || !this.from.alive) return;
      const silent = this.broken || this.from.cut || this.to?.cut === true || this.to?.paused === true;
      silentSinceUs = silent ? (silentSinceUs ?? timeline.nowUs) : undefined;
      const isLost = this.to?.alive === false || (silentSinceUs !== undefined && timeline.nowUs - silentSinceUs >= SILENCE_US);
      if (isLost) lost(new CallFailed('UNAVAILABLE', '', 'the connection is lost'));
      else timeline.schedule(LOOK_US, look);
    };
    timeline.schedule(LOOK_US, look);
  }
}

function asCallFailed(error: unknown): CallFailed {
  if (error instanceof CallFailed) return error;
  if (!(error instanceof SluiceError)) return new CallFailed('REFUSED', 'INTERNAL', error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  const { code } = statusOf(error);
  const message = `${error.reason}: ${error.message}`;
  // 14 is UNAVAILABLE, 4 DEADLINE_EXCEEDED.
  return new CallFailed(code === 14 ? 'UNAVAILABLE' : code === 4 ? 'DEADLINE_EXCEEDED' : 'REFUSED', error.reason, message, error);
}

/** What a handler knows about the call; it ends when the caller gives up. */
function contextOf(path: string, deadlineMs: number, forwardedTo: number | undefined, gone: AbortSignal): CallContext {
  const call = Object.assign(new EventEmitter(), {
    cancelled: false,
    metadata: new Metadata(),
    getPath: () => path,
    getPeer: () => 'simulated',
    getDeadline: () => deadlineMs,
    getAuthContext: () => ({}),
  });
  gone.addEventListener('abort', () => {
    call.cancelled = true;
    call.emit('cancelled');
  });
  return new CallContext(call, ANYBODY, forwardedTo);
}
