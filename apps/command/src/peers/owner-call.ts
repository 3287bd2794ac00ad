/** A command sent to its partition's owner, with the codec of its method. */
import type { MethodDefinition } from '@grpc/grpc-js';
import type { PartitionHop } from '@sluice/engine';
import type { CallContext } from '@sluice/service';

/** Resolves with the owner's answer; rejects with its refusal. Commands carry request ids, so they may be sent again. */
export async function commandAtOwner<Request, Response>(
  hop: PartitionHop<CallContext>,
  partition: number,
  { path, requestSerialize, responseDeserialize }: MethodDefinition<Request, Response>,
  request: Request,
  call: CallContext,
): Promise<Response> {
  return responseDeserialize(await hop.send(partition, { path, repeatable: true }, requestSerialize(request), call));
}
