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
      if (Number.isFinite(options.limitMs)) timeline.schedule(options.limitMs * 1_000, () => giveUp('DEADLINE_EXCEEDED', `${address} does not answer`));
      options.signal?.addEventListener('abort', () => giveUp('UNAVAILABLE', 'the call was cancelled'), { once: true });
      if (!from.alive || from.cut || random.chance(faults.requestLost)) return;
      const copies = random.chance(faults.requestRepeated) ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) {
        const { thereUs } = from.networkLatency();
        timeline.schedule(thereUs, () => {
          const server = this.#servers.get(address);
          if (server === undefined || !server.life.alive) {
            timeline.schedule(from.networkLatency().backUs, () => settle(() => reject(new CallFailed('UNAVAILABLE', '', `nothing listens at ${address}`))));
            return;
          }
          server.life.continue(() => {
            if (server.life.cut) return;
            const answer = (give: () => void): void => {
              if (!server.life.alive || server.life.cut || random.chance(this.world.faults.answerLost)) return;
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

  async #run({ registrations }: Server, path: string, bytes: Buffer, call: CallContext): Promise<Buffer> {
    for (const { definition, implementation } of registrations) {
      for (const [name, method] of Object.entries(definition as Record<string, Codec>)) {
        if (method.path !== path) continue;
        const carried = functionOf(implementation[name] as object);
        if (carried?.form !== 'unary') throw new Error(`${path} is not a unary method`);
        return method.responseSerialize(await carried.run(method.requestDeserialize(bytes) as never, call));
      }
    }
    throw new Error(`nothing serves ${path}`);
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
