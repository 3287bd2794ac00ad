/**
 * A gRPC method that asks one aggregate for something.
 *
 *   bytes ──shape──▶ key ──▶ partition ──this instance's──▶ submission ──▶ verdict ──▶ response with position token
 *                                └──another's──▶ the same bytes to its owner ──▶ its response
 */
import type { MethodDefinition, UntypedHandleCall } from '@grpc/grpc-js';
import type { AggregateCapability } from '@sluice/engine';
import { encodePositionToken } from '@sluice/protocol';
import { unary, type CallContext } from '@sluice/service';
import type { CommandContext } from '../command-capability';
import { notOwner } from '../peers/not-owner';
import { decideHere, partitionOf, readRequest } from './partition-share';
import { mergeSequences, type CompleteReply } from './reply-completion';
import { errorOf, reasonOf } from './verdict-errors';

/** What every response of a command has beside the reply of its capability. */
export interface CommandResponse {
  repeated: boolean;
  positionToken: string;
}

/** A method with its implementation, for a registration. It takes and gives bytes. */
export interface ServiceMethod {
  readonly definition: MethodDefinition<Buffer, Buffer>;
  readonly implementation: UntypedHandleCall;
}

/**
 * @param method the capability's name for it.
 * @param complete fills in what is known only after the request was accepted.
 */
export function commandMethod<Request, Response extends CommandResponse>(
  context: CommandContext,
  capability: AggregateCapability,
  method: string,
  definition: MethodDefinition<Request, Response>,
  complete?: CompleteReply,
): ServiceMethod {
  const { engine, seeds, hop, observer, incarnation } = context;
  const hopMethod = { path: definition.path, repeatable: true };
  return bytesMethod(definition, async (bytes, call) => {
    const body = readRequest(() => capability.read(method, bytes));
    const partition = partitionOf(engine, body);
    call.awaitedPartition = partition;
    if (hop !== undefined && engine.partition(partition) === undefined) return hop.send(partition, hopMethod, bytes, call);
    const request = capability.request(method, body, seeds);
    const sequence = await decideHere(engine, capability.name, partition, [request], call);
    const { verdict, repeated } = request;
    if (verdict === undefined) throw new Error(`${method} was answered without a verdict`);
    if (verdict.kind === 'refused' && verdict.refusal === 'NOT_OWNER' && hop !== undefined) {
      if (call.forwarded) throw notOwner(partition);
      return hop.send(partition, hopMethod, bytes, call);
    }
    if (verdict.kind !== 'accepted') {
      observer.rejected(reasonOf(verdict), 1);
      throw errorOf(verdict);
    }
    const completed = await complete?.(request, verdict.reply, partition, call);
    const response = definition.responseDeserialize(Buffer.from(completed?.reply ?? verdict.reply));
    response.repeated = repeated;
    const sequences = new Map([[partition, sequence]]);
    mergeSequences(sequences, completed?.sequences);
    response.positionToken = encodePositionToken({ incarnation, sequences });
    return definition.responseSerialize(response);
  });
}

export function bytesMethod<Request, Response>(
  definition: MethodDefinition<Request, Response>,
  run: (bytes: Buffer, call: CallContext) => Promise<Buffer>,
): ServiceMethod {
  return { definition: bytesOnly(definition), implementation: unary(run) as UntypedHandleCall };
}

/** The method as it is, except that its messages stay bytes. */
export function bytesOnly<Request, Response>(definition: MethodDefinition<Request, Response>): MethodDefinition<Buffer, Buffer> {
  return { ...definition, requestSerialize: identity, requestDeserialize: identity, responseSerialize: identity, responseDeserialize: identity };
}

function identity(bytes: Buffer): Buffer {
  return bytes;
}
