/**
 * Calls between hosts: the encoded request travels to whatever serves the address at that moment, and the encoded answer back. Requests are
 * lost and repeated, answers are lost, as the plan says. A call that hears nothing ends at its deadline.
 */
import type { CallContext, ServiceFunction, ServiceRegistration } from '@sluice/service';
import { CallFailed } from './call-failed';
import { Exchange, type StreamListener } from './exchange';
import type { Life } from './life';
import { Link } from './link';
import { asCallFailed, contextOf, Departure, methodOf, methodsOf, type Server } from './served-call';
import type { World } from './world';

export interface CallOptions {
  /** Milliseconds after which the caller gives up; Infinity: never. */
  readonly limitMs: number;
  /** The partition for which a peer sends the call on. */
  readonly forwardedTo?: number;
  /** Told by the caller: it ends the call for the caller, and the server learns of it. */
  readonly departure?: Departure;
}

export class Network {
  readonly #servers = new Map<string, Server>();

  constructor(private readonly world: World) {}

  serve(address: string, life: Life, registrations: readonly ServiceRegistration[]): void {
    this.#servers.set(address, { life, methods: methodsOf(registrations) });
  }

  /** Calls a method given by its path ("/package.Service/Method") with encoded bytes. */
  async call(from: Life, address: string, path: string, request: Uint8Array, options: CallOptions): Promise<Buffer> {
    const { timeline, faults } = this.world;
    const { random } = from;
    const bytes = Buffer.from(request);
    const deadlineMs = Date.now() + options.limitMs;
    return new Promise<Buffer>((resolve, reject) => {
      let settled = false;
      let forgetDeadline = (): void => undefined;
      const settle = (give: () => void): void =>
        from.continue(() => {
          if (settled) return;
          settled = true;
          forgetDeadline();
          give();
        });
      const departure = options.departure ?? new Departure();
      const giveUp = (code: CallFailed['code'], message: string): void => {
        if (settled) return;
        settle(() => reject(new CallFailed(code, '', message)));
        departure.tell();
      };
      const link = new Link(this.world, from);
      if (!Number.isFinite(options.limitMs))
        link.watch(
          () => settled,
          (error) => settle(() => reject(error)),
        );
      else forgetDeadline = timeline.schedule(options.limitMs * 1_000, () => giveUp('DEADLINE_EXCEEDED', `${address} does not answer`));
      departure.when(() => giveUp('UNAVAILABLE', 'the call was cancelled'));
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
            this.#run(server, path, bytes, contextOf(path, deadlineMs, options.forwardedTo, departure)).then(
              (response) => answer(() => resolve(response)),
              (error: unknown) => answer(() => reject(asCallFailed(error))),
            );
          });
        });
      }
    });
  }

  /** Opens a stream of answers, which arrive in order. It ends when the server ends it, and when one of the two hosts is not heard of any more. */
  stream(
    from: Life,
    address: string,
    { path, bytes: request, forwardedTo }: { readonly path: string; readonly bytes: Uint8Array; readonly forwardedTo: number },
    { message, ended }: StreamListener,
  ): { cancel(): void } {
    const { timeline } = this.world;
    const bytes = Buffer.from(request);
    const departure = new Departure();
    const link = new Link(this.world, from);
    let isOver = false;
    let lastArrivalUs = 0;
    const over = (error: Error | undefined): void =>
      from.continue(() => {
        if (isOver) return;
        isOver = true;
        departure.tell();
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
          for await (const answer of this.#answers(server, path, bytes, contextOf(path, Number.POSITIVE_INFINITY, forwardedTo, departure))) {
            if (departure.isOver) return;
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

  /** Opens a stream of both directions. */
  exchange(from: Life, address: string, path: string, listener: StreamListener): Exchange {
    return new Exchange(this.world, from, { address, path, server: () => this.#servers.get(address) }, listener);
  }

  /** The form of a method; undefined: no server has it. */
  formOf(path: string): ServiceFunction['form'] | undefined {
    for (const { methods } of this.#servers.values()) {
      const served = methods.get(path);
      if (served !== undefined) return served.carried?.form;
    }
    return undefined;
  }

  async *#answers(server: Server, path: string, bytes: Buffer, call: CallContext): AsyncGenerator<Buffer> {
    const { method, carried } = methodOf(server, path);
    if (carried?.form !== 'serverStream') throw new Error(`${path} is not a stream of answers`);
    for await (const answer of carried.run(method.requestDeserialize(bytes) as never, call)) yield method.responseSerialize(answer);
  }

  async #run(server: Server, path: string, bytes: Buffer, call: CallContext): Promise<Buffer> {
    const { method, carried } = methodOf(server, path);
    if (carried?.form !== 'unary') throw new Error(`${path} is not a unary method`);
    return method.responseSerialize(await carried.run(method.requestDeserialize(bytes) as never, call));
  }
}
