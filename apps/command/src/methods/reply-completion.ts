/**
 * What a reply says beside its request's own verdict: it is found out at the owner of the request's partition, when the request was accepted, and
 * again for a repeat. It is not recorded.
 */
import type { AggregateRequest } from '@sluice/engine';
import type { CallContext } from '@sluice/service';

export interface CompletedReply {
  /** The response message, without position token and repeated flag. */
  readonly reply: Uint8Array;
  /** By partition: the sequence on which it depends, beside the request's own. */
  readonly sequences: ReadonlyMap<number, number>;
}

/**
 * @param reply the one that is recorded.
 * @param call tells when its caller stops waiting.
 */
export type CompleteReply = (request: AggregateRequest, reply: Uint8Array, partition: number, call: Pick<CallContext, 'signal'>) => Promise<CompletedReply>;

/** Takes the newest of both. */
export function mergeSequences(into: Map<number, number>, others: ReadonlyMap<number, number> | undefined): void {
  if (others === undefined) return;
  for (const [partition, sequence] of others) into.set(partition, Math.max(sequence, into.get(partition) ?? 0));
}
