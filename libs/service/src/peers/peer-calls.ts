/**
 * Calls of this deployment's own services to command instances, typed, over connections or within one process. They are made for no
 * caller: the service itself asks. The methods are open to peers only (`peersOnly`), so that no caller reaches them.
 */
import type { MethodDefinition, UntypedHandleCall } from '@grpc/grpc-js';
import { type CallContext, LocalCall } from '../call-context';
import type { Caller } from '../caller';
import { functionOf, serverStream, unary } from '../handlers';
import type { ServiceRegistration } from '../service-runtime';
import { refusal } from '../sluice-error';
import type { PeerChannels } from './peer-connections';

export interface PeerAnswerListener<Response> {
  readonly message: (response: Response) => void;
  /** The stream ended, or was cut, and brings no more; called once. */
  readonly ended: (error: Error | undefined) => void;
}

export interface PeerCalls {
  /** Rejects with what the peer refuses, and when the connection is cut. `partition`: what the peer is asked about. */
  unary<Request, Response>(method: MethodDefinition<Request, Response>, request: Request, partition: number, deadlineMs: number): Promise<Response>;
  serverStream<Request, Response>(method: MethodDefinition<Request, Response>, request: Request, listener: PeerAnswerListener<Response>): { cancel(): void };
}

/** A stream concerns every partition of the peer: its claim names the first one. */
const ANY_PARTITION = 0;

/** The instance at the address. */
export function connectedPeer(connections: PeerChannels, address: string, caller: Caller): PeerCalls {
  return {
    unary: ({ path, requestSerialize, responseDeserialize }, request, partition, deadlineMs) =>
      new Promise((resolve, reject) => {
        const sent = { path, bytes: requestSerialize(request), forwarded: { caller, partition }, deadlineMs };
        connections.send(address, sent, (error, response) => {
          if (error === null) resolve(responseDeserialize(response as Buffer));
          else reject(error);
        });
      }),
    serverStream: ({ path, requestSerialize, responseDeserialize }, request, { message, ended }) => {
      const sent = { path, bytes: requestSerialize(request), forwarded: { caller, partition: ANY_PARTITION }, deadlineMs: Number.POSITIVE_INFINITY };
      return connections.stream(address, sent, { message: (bytes) => message(responseDeserialize(bytes)), ended });
    },
  };
}

/** The services of this process: the same functions without a connection. */
export function inProcessPeer(registrations: readonly ServiceRegistration[], caller: Caller): PeerCalls {
  const functionAt = (path: string) => {
    for (const { definition, implementation } of registrations) {
      for (const [name, method] of Object.entries(definition)) if (method.path === path) return functionOf(implementation[name] as object);
    }
    return undefined;
  };
  return {
    unary: async (method, request, partition, deadlineMs) => {
      const carried = functionAt(method.path);
      if (carried?.form !== 'unary') throw new Error(`${method.path} is no unary method of this process`);
      return (await carried.run(request as never, new LocalCall(caller, partition, deadlineMs))) as never;
    },
    serverStream: (method, request, listener) => {
      const carried = functionAt(method.path);
      if (carried?.form !== 'serverStream') throw new Error(`${method.path} is no stream of this process`);
      const call = new LocalCall(caller, ANY_PARTITION, Number.POSITIVE_INFINITY);
      const pump = async (): Promise<void> => {
        for await (const answer of carried.run(request as never, call)) {
          if (call.ended) return;
          listener.message(answer as never);
        }
      };
      pump().then(
        () => listener.ended(undefined),
        (error: Error) => listener.ended(error),
      );
      return { cancel: () => call.end(refusal('CANCELLED')) };
    },
  };
}

/** The registration with each method open to proven peers only, whatever else is configured. */
export function peersOnly(registration: ServiceRegistration): ServiceRegistration {
  const implementation = { ...registration.implementation };
  for (const name of Object.keys(implementation)) {
    const carried = functionOf(implementation[name] as object);
    if (carried?.form === 'unary') implementation[name] = unary((request: never, call) => carried.run(request, provenPeer(call))) as UntypedHandleCall;
    else if (carried?.form === 'serverStream')
      implementation[name] = serverStream((request: never, call) => carried.run(request, provenPeer(call))) as UntypedHandleCall;
    else throw new Error(`${registration.name}: ${name} must be a unary method or a stream of answers`);
  }
  return { ...registration, implementation };
}

function provenPeer(call: CallContext): CallContext {
  if (!call.forwarded) throw refusal('NOT_AUTHORIZED', 'only instances of this deployment may call this method', { role: 'peer' });
  return call;
}
