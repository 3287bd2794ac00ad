/**
 * What a handler knows about the call beside its request. Made once per call; what costs (the abort signal, the peer's
 * address) is made when asked for, because the hot path never asks.
 */
import { EventEmitter } from 'node:events';
import { Metadata, type ServerUnaryCall } from '@grpc/grpc-js';
import { ANYBODY, type Caller } from './caller';
import { refusal, type SluiceError } from './sluice-error';

/** A call of any form; nothing is known about its messages. */
export interface AnyCall extends EventEmitter, Pick<ServerUnaryCall<unknown, unknown>, 'getAuthContext' | 'getDeadline' | 'getPath' | 'getPeer'> {
  readonly cancelled: boolean;
  readonly metadata: Metadata;
}

export class CallContext {
  /** The partition that has to answer; undefined: none, several, or it is not known yet. It is named where the call's time is over. */
  awaitedPartition: number | undefined;
  private controller: AbortController | undefined;
  private endedBecause: SluiceError | undefined;

  constructor(
    private readonly call: AnyCall,
    /** Who calls; of a forwarded call: whom the peer forwards for. */
    readonly caller: Caller = ANYBODY,
    /** The partition for which a peer sent the call on; undefined: the caller sent it here itself. */
    readonly forwardedTo: number | undefined = undefined,
  ) {}

  /** A peer sent the call on: it must not be sent on again. */
  get forwarded(): boolean {
    return this.forwardedTo !== undefined;
  }

  /**
   * Whose share of a contended queue the call takes: that of the verified caller; without authentication, of the connection. What peers forward for
   * callers without authentication has one share.
   */
  get identity(): string {
    if (this.caller !== ANYBODY) return this.caller.name;
    try {
      return this.call.getPeer();
    } catch {
      // The connection is gone.
      return '';
    }
  }

  /** Full name, like "/sluice.account.v1.AccountQueryService/GetAccount". */
  get method(): string {
    return this.call.getPath();
  }

  get metadata(): Metadata {
    return this.call.metadata;
  }

  /** Address of the connection's other end. */
  get peer(): string {
    return this.call.getPeer();
  }

  /** When the caller stops waiting, milliseconds since the epoch; Infinity: never. */
  get deadlineMs(): number {
    const deadline = this.call.getDeadline();
    return typeof deadline === 'number' ? deadline : deadline.getTime();
  }

  get deadlinePassed(): boolean {
    return this.deadlineMs <= Date.now();
  }

  /** Nobody waits for the answer any more. */
  get ended(): boolean {
    return this.endedBecause !== undefined || this.call.cancelled;
  }

  /** Aborts, with the reason, when the caller goes away, its deadline passes or the server stops a stream. */
  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.endedBecause !== undefined) this.controller.abort(this.endedBecause);
      else if (this.call.cancelled) this.endAsCancelled();
      else this.call.on('cancelled', () => this.endAsCancelled());
    }
    return this.controller.signal;
  }

  /** Ends the call from the server's side; the first reason stays. */
  end(reason: SluiceError): void {
    if (this.endedBecause !== undefined) return;
    this.endedBecause = reason;
    this.controller?.abort(reason);
  }

  private endAsCancelled(): void {
    if (this.endedBecause === undefined) this.end(refusal(this.deadlinePassed ? 'DEADLINE_EXCEEDED' : 'CANCELLED'));
  }
}

/** Stands for several calls of one caller that are sent on together: it has no connection, and it is not cancelled. */
export class GatheredCall extends CallContext {
  constructor(caller: Caller, deadlineMs: number) {
    super(new NoConnection(deadlineMs), caller);
  }
}

/** A call within the process, as a peer would send it to the partition's owner. It ends by `end`. */
export class LocalCall extends CallContext {
  constructor(caller: Caller, partition: number, deadlineMs: number) {
    super(new NoConnection(deadlineMs), caller, partition);
  }
}

class NoConnection extends EventEmitter implements AnyCall {
  readonly cancelled = false;
  readonly metadata = new Metadata();

  constructor(private readonly deadlineMs: number) {
    super();
  }

  getDeadline(): number {
    return this.deadlineMs;
  }

  getPath(): string {
    return '';
  }

  getPeer(): string {
    return '';
  }

  getAuthContext(): ReturnType<AnyCall['getAuthContext']> {
    return {};
  }
}
