/** What a capability gives to the client: the objects that become properties of `SluiceClient`, over what all of them share. */
import type { ChannelCredentials, ClientOptions } from '@grpc/grpc-js';
import type { BatchingOptions } from './batching-options';
import type { Caller } from './caller';
import type { PositionTracker } from './position-tracker';
import type { Reads } from './reads';

/** A service's client, as it is generated. */
export type StubClass<Stub> = new (address: string, credentials: ChannelCredentials, options?: Partial<ClientOptions>) => Stub;

export interface ClientContext {
  readonly caller: Caller;
  /** What this client wrote: to be told of the token in every reply to a command. */
  readonly positions: PositionTracker;
  readonly reads: Reads;
  readonly batching: BatchingOptions | undefined;
  /** A client of a command service, on the channel of this client. */
  readonly command: <Stub>(stub: StubClass<Stub>) => Stub;
  /** A client of a query service, on the channel of this client. */
  readonly query: <Stub>(stub: StubClass<Stub>) => Stub;
  /** A client of what reads the log for people, on the channel of this client. */
  readonly projector: <Stub>(stub: StubClass<Stub>) => Stub;
}

export interface ClientCapability<Clients extends object> {
  /** "account". */
  readonly name: string;
  clients(context: ClientContext): Clients;
}
