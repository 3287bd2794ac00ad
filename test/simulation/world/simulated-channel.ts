/**
 * A gRPC channel over the simulated network, for programs that call by generated stubs, as the client library does. Each call goes to an instance that the
 * channel picks. Answers of unary calls and both directions of streams go through the network; so does what a crash, a pause or a cut link does to them.
 */
import { connectivityState, Metadata, status, type ChannelInterface, type StatusObject } from '@grpc/grpc-js';
import type { Life } from './life';
import { CallFailed } from './call-failed';
import type { Exchange } from './exchange';
import type { Network } from './network';
import { asServiceError } from './peer-transport';
import { Departure } from './served-call';

type Call = ReturnType<ChannelInterface['createCall']>;
type Listener = Parameters<Call['start']>[1];
type Deadline = Parameters<ChannelInterface['createCall']>[1];

export class SimulatedChannel implements ChannelInterface {
  constructor(
    private readonly life: Life,
    private readonly network: Network,
    /** The address of an instance for the next call. */
    private readonly pick: () => string,
  ) {}

  createCall(path: string, deadline: Deadline): Call {
    return new SimulatedCall(this.life, this.network, this.pick(), path, typeof deadline === 'number' ? deadline : deadline.getTime());
  }

  close(): void {}

  getTarget(): string {
    return 'simulated';
  }

  getConnectivityState(): connectivityState {
    return connectivityState.READY;
  }

  watchConnectivityState(): void {}

  getChannelzRef(): never {
    throw new Error('a simulated channel is not listed');
  }
}

class SimulatedCall implements Call {
  readonly #departure = new Departure();
  #listener: Listener | undefined;
  #request: Buffer | undefined;
  #exchange: Exchange | undefined;
  #isOver = false;

  constructor(
    private readonly life: Life,
    private readonly network: Network,
    private readonly address: string,
    private readonly path: string,
    private readonly deadlineMs: number,
  ) {}

  start(_metadata: Metadata, listener: Listener): void {
    this.#listener = listener;
    const form = this.network.formOf(this.path);
    if (form === undefined) setImmediate(() => this.#end(new CallFailed('UNAVAILABLE', '', `nothing listens at ${this.address}`)));
    if (form !== 'bidi') return;
    this.#exchange = this.network.exchange(this.life, this.address, this.path, {
      message: (bytes) => listener.onReceiveMessage(bytes),
      ended: (error) => this.#end(error),
    });
  }

  sendMessageWithContext({ callback }: { callback?: (error?: Error | null) => void }, message: Buffer): void {
    if (this.#exchange === undefined) this.#request = message;
    else this.#exchange.send(message);
    if (callback !== undefined) process.nextTick(callback);
  }

  halfClose(): void {
    if (this.#exchange !== undefined) this.#exchange.end();
    else if (this.#request !== undefined) this.#callOnce(this.#request);
  }

  cancelWithStatus(code: status, details: string): void {
    this.#departure.tell();
    this.#exchange?.cancel();
    this.#tell({ code, details, metadata: new Metadata() });
  }

  startRead(): void {}

  getPeer(): string {
    return this.address;
  }

  getCallNumber(): number {
    return 0;
  }

  setCredentials(): void {}

  getAuthContext(): null {
    return null;
  }

  #callOnce(request: Buffer): void {
    const limitMs = Math.max(0, this.deadlineMs - Date.now());
    this.network.call(this.life, this.address, this.path, request, { limitMs, departure: this.#departure }).then(
      (response) => {
        if (this.#isOver) return;
        this.#listener?.onReceiveMessage(response);
        this.#end(undefined);
      },
      (error: Error) => this.#end(error),
    );
  }

  #end(error: Error | undefined): void {
    if (error === undefined) return this.#tell({ code: status.OK, details: '', metadata: new Metadata() });
    const { code, details, metadata } = asServiceError(error instanceof CallFailed ? error : new CallFailed('UNAVAILABLE', '', error.message));
    return this.#tell({ code, details, metadata });
  }

  #tell(told: StatusObject): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener?.onReceiveStatus(told);
  }
}
