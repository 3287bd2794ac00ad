/** Takes deliveries to the partitions of other instances, by the hop that commands take. */
import type { DeliveryTransport, PartitionHop } from '@sluice/engine';
import { logpb } from '@sluice/protocol';
import { GatheredCall, type CallContext, type Caller } from '@sluice/service';

const { path, requestSerialize, responseDeserialize } = logpb.DeliveryServiceService.deliver;
/** The target gives a second copy the first verdicts. */
const DELIVER = { path, repeatable: true };
/** A batch whose answer takes longer is sent again. */
const ANSWER_LIMIT_MS = 15_000;
/** As whom an instance delivers: no caller waits for it. */
const DELIVERING: Caller = Object.freeze({ name: 'deliveries', roles: new Set(['operate'] as const) });

/** @param hop undefined while the instance starts. */
export function peerDeliveries(hop: () => PartitionHop<CallContext> | undefined, nowMs: () => number): DeliveryTransport {
  return {
    send: async (partition, batch) => {
      const way = hop();
      if (way === undefined) throw new Error('this instance is starting');
      const call = new GatheredCall(DELIVERING, nowMs() + ANSWER_LIMIT_MS);
      const request = requestSerialize({ partition, batch: Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength) });
      return responseDeserialize(await way.send(partition, DELIVER, request, call)).answer;
    },
  };
}
