/**
 * An instance that is asked for a partition which it does not serve refuses the hop before the request reaches the capability.
 * The refusal carries a mark: nothing was done, so the sender may look for the owner again, whatever the method is.
 */
import type { UntypedHandleCall } from '@grpc/grpc-js';
import { functionOf, refusal, serverStream, unary, type CallContext, type ErrorInfo, type ServiceRegistration, type SluiceError } from '@sluice/service';

const MARK = 'not_owner';

export function notOwner(partition: number): SluiceError {
  return refusal('PARTITION_UNAVAILABLE', `this instance does not serve partition ${partition}; its owner is changing`, { [MARK]: 'true' });
}

export function isNotOwner({ metadata }: Pick<ErrorInfo, 'metadata'>): boolean {
  return metadata[MARK] !== undefined;
}

/** The registration with each method that a hop reaches refusing hops for partitions that this instance does not serve. */
export function refusingHopsOfOthers(registration: ServiceRegistration, serves: (partition: number) => boolean): ServiceRegistration {
  const implementation = { ...registration.implementation };
  for (const name of Object.keys(implementation)) {
    const carried = functionOf(implementation[name] as object);
    if (carried?.form === 'unary') implementation[name] = unary((request: never, call) => carried.run(request, served(call, serves))) as UntypedHandleCall;
    if (carried?.form === 'serverStream')
      implementation[name] = serverStream((request: never, call) => carried.run(request, served(call, serves))) as UntypedHandleCall;
  }
  return { ...registration, implementation };
}

function served(call: CallContext, serves: (partition: number) => boolean): CallContext {
  const { forwardedTo } = call;
  if (forwardedTo !== undefined && !serves(forwardedTo)) throw notOwner(forwardedTo);
  return call;
}
