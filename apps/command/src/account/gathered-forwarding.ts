/**
 * Gathers the postings that go to the same owner: those of one partition and one caller travel together in one PostBatch, whether they came by
 * streams, single calls or small batches. Without it a stream makes one hop per posting, which costs both instances some hundred times more than
 * the posting itself.
 *
 * Each posting keeps its own verdict. A hop carries one verified caller, so callers are kept apart. A hop continues one trace, so sampled calls are
 * kept apart, too. An atomic batch travels alone: it is decided whole. Transfers travel in batches of their own method, not gathered.
 */
import type { PostingBatch } from '@sluice/protocol/account';
import { GatheredCall, type CallContext, type Caller } from '@sluice/service';
import { activeTraceparent } from '@sluice/telemetry';
import { HopLane, sizeOf } from './hop-lane';
import type { Positions, PostingForwarding } from './posting-router';

/** Postings and bytes of one hop; a share that has as many travels alone. Far less than an owner's queue takes. */
const HOP_POSTINGS = 1_000;
const HOP_BYTES = 1 << 20;

export class GatheredForwarding implements PostingForwarding {
  private readonly lanes = new Map<string, HopLane>();
  private readonly maximumBytes: number;

  /** @param maximumMessageBytes the largest message that the owners take. */
  constructor(
    private readonly forwarding: PostingForwarding,
    maximumMessageBytes: number,
  ) {
    this.maximumBytes = Math.min(HOP_BYTES, maximumMessageBytes);
  }

  postings(partition: number, batch: PostingBatch, indexes: readonly number[], positions: Positions, call: CallContext): Promise<void> {
    const { forwarding, lanes, maximumBytes } = this;
    const sizeBytes = sizeOf(batch, indexes);
    // A call that was sent on already is refused by the hop. What was gathered already does not wait for others: they may wait for it.
    if (
      batch.atomic ||
      batch.legs !== undefined ||
      call.forwarded ||
      call instanceof GatheredCall ||
      indexes.length >= HOP_POSTINGS ||
      sizeBytes >= maximumBytes
    ) {
      return forwarding.postings(partition, batch, indexes, positions, call);
    }
    const key = `${partition} ${activeTraceparent() ?? ''} ${identityOf(call.caller)}`;
    let lane = lanes.get(key);
    if (lane === undefined) {
      const limits = { maximumPostings: HOP_POSTINGS, maximumBytes };
      lane = new HopLane(partition, call.caller, forwarding, limits, () => lanes.delete(key));
      lanes.set(key, lane);
    }
    return lane.add({ batch, indexes, positions, call, sizeBytes });
  }
}

/** Callers of one name may have different roles, by different tokens. */
function identityOf({ name, roles }: Caller): string {
  return `${[...roles].join(',')} ${name}`;
}
