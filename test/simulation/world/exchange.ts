/**
 * A stream of requests and answers between two hosts. Each direction arrives in order. It ends when one end ends it, and when one of the two hosts is
 * not heard of any more; what was sent over a connection that is lost by then is lost.
 */
import type { CallContext } from '@sluice/service';
import { asCallFailed, contextOf, Departure, methodOf, type Server } from './served-call';
import { CallFailed } from './call-failed';
import type { Life } from './life';
import { Link } from './link';
import type { World } from './world';

export interface StreamListener {
  readonly message: (bytes: Buffer) => void;
  /** Called once, unless the caller itself has cancelled or its process has ended. */
  readonly ended: (error: Error | undefined) => void;
}

export interface ExchangeTarget {
  readonly address: string;
  readonly path: string;
  /** What serves the address at this moment. */
  readonly server: () => Server | undefined;
}

export class Exchange {
  readonly #departure = new Departure();
  readonly #link: Link;
  readonly #requests = new Inbox();
  #isOver = false;
  #lastThereUs = 0;
  #lastBackUs = 0;

  constructor(
    private readonly world: World,
    private readonly from: Life,
    target: ExchangeTarget,
    private readonly listener: StreamListener,
  ) {
    this.#link = new Link(world, from);
    this.#link.watch(
      () => this.#isOver,
      (error) => this.#over(error),
    );
    this.#goes(() => this.#arrive(target));
  }

  /** A process that is paused sends when it goes on; a dead one sends nothing. */
  send(bytes: Uint8Array): void {
    const kept = Buffer.from(bytes);
    this.from.continue(() => this.#goes(() => this.#requests.push(kept)));
  }

  /** There are no further requests. */
  end(): void {
    this.from.continue(() => this.#goes(() => this.#requests.end()));
  }

  cancel(): void {
    this.from.continue(() => {
      this.#goes(() => this.#leave());
      this.#over(new CallFailed('UNAVAILABLE', '', 'the stream was cancelled'));
    });
  }

  /** Something travels to the server, in order. */
  #goes(arrive: () => void): void {
    const { timeline } = this.world;
    if (this.#isOver) return;
    if (this.from.cut) this.#link.broken = true;
    if (this.#link.broken) return;
    this.#lastThereUs = Math.max(timeline.nowUs + this.from.networkLatency().thereUs, this.#lastThereUs + 1);
    timeline.schedule(this.#lastThereUs - timeline.nowUs, () => {
      const { to } = this.#link;
      if (to === undefined) arrive();
      else if (to.cut) this.#link.broken = true;
      else to.continue(arrive);
    });
  }

  /** Something travels to the caller, in order. */
  #comes(arrive: () => void): void {
    const { timeline } = this.world;
    if (this.#link.to?.alive !== true || this.#link.to.cut) this.#link.broken = true;
    if (this.#link.broken) return;
    this.#lastBackUs = Math.max(timeline.nowUs + this.from.networkLatency().backUs, this.#lastBackUs + 1);
    timeline.schedule(this.#lastBackUs - timeline.nowUs, () => this.from.continue(() => (this.#isOver ? undefined : arrive())));
  }

  #over(error: Error | undefined): void {
    this.from.continue(() => {
      if (this.#isOver) return;
      this.#isOver = true;
      this.listener.ended(error);
    });
  }

  /** The server learns that the caller is gone. */
  #leave(): void {
    this.#departure.tell();
    this.#requests.end();
  }

  #arrive({ address, path, server: find }: ExchangeTarget): void {
    const server = find();
    if (server === undefined || !server.life.alive) {
      this.world.timeline.schedule(this.from.networkLatency().backUs, () => this.#over(new CallFailed('UNAVAILABLE', '', `nothing listens at ${address}`)));
      return;
    }
    const { life } = server;
    this.#link.to = life;
    if (life.cut) {
      this.#link.broken = true;
      return;
    }
    life.continue(() => {
      let isDone = false;
      this.#link.watchCaller(
        () => isDone,
        () => life.continue(() => this.#leave()),
      );
      this.#serve(server, path, contextOf(path, Number.POSITIVE_INFINITY, undefined, this.#departure)).then(
        () => {
          isDone = true;
          this.#comes(() => this.#over(undefined));
        },
        (error: unknown) => {
          isDone = true;
          this.#comes(() => this.#over(asCallFailed(error)));
        },
      );
    });
  }

  async #serve(server: Server, path: string, call: CallContext): Promise<void> {
    const { method, carried } = methodOf(server, path);
    if (carried?.form !== 'bidi') throw new Error(`${path} is not a stream of both directions`);
    const requests = this.#requests;
    const decoded = async function* (): AsyncGenerator<never> {
      for await (const bytes of requests) yield method.requestDeserialize(bytes) as never;
    };
    const send = (answer: never): undefined => {
      const bytes = method.responseSerialize(answer);
      this.#comes(() => this.listener.message(bytes));
    };
    await carried.run(decoded(), send, call);
  }
}

/** What has arrived and was not read yet. */
class Inbox implements AsyncIterable<Buffer> {
  readonly #messages: Buffer[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  push(message: Buffer): void {
    this.#messages.push(message);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) yield message;
      else if (this.#ended) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
