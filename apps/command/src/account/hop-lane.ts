/**
 * The hops of one caller to one partition's owner.
 *
 *   share → waiting ──end of the round of the event loop──► under way (in a hop, with others) ──► answered
 *
 * A hop leaves at the end of the round in which its first share came, so that whatever comes at the same time travels together. While
 * HOPS_UNDER_WAY hops are not answered, shares gather for the next one. That trades nothing at low load (one posting, one hop, at once) and makes
 * a hot caller cheap.
 *
 * A share waits while an earlier one of its call is under way: hops may overtake each other, and a stream's postings on one account are decided in
 * the order in which they came. A slow hop holds back the streams that are in it, and no other call.
 *
 * A hop may take as long as the share with the latest deadline; a call whose deadline passes before is ended by its own deadline.
 */
import { END, OUTCOME_ACCEPTED, scanPostings, START, STRIDE, type PostingBatch } from '@sluice/protocol/account';
import { GatheredCall, type CallContext, type Caller } from '@sluice/service';
import { SHAPE_ISSUES, type Positions, type PostingForwarding } from './posting-router';

const HOPS_UNDER_WAY = 4;

/** Postings of one call that go to the partition. */
interface Share {
  readonly batch: PostingBatch;
  readonly indexes: readonly number[];
  readonly positions: Positions;
  readonly call: CallContext;
  readonly sizeBytes: number;
}

type WaitingShare = Share & { readonly answered: () => void };

export interface HopLimits {
  readonly maximumPostings: number;
  readonly maximumBytes: number;
}

export class HopLane {
  private waiting: WaitingShare[] = [];
  /** Calls with a share under way. */
  private readonly callsUnderWay = new Set<CallContext>();
  private hopsUnderWay = 0;
  private roundAhead = false;

  /** @param idle nothing waits and nothing is under way. */
  constructor(
    private readonly partition: number,
    private readonly caller: Caller,
    private readonly forwarding: PostingForwarding,
    private readonly limits: HopLimits,
    private readonly idle: () => void,
  ) {}

  /** Resolves when every posting of the share has its verdict. */
  add(share: Share): Promise<void> {
    return new Promise((answered) => {
      this.waiting.push({ ...share, answered });
      this.sendAtEndOfRound();
    });
  }

  private sendAtEndOfRound(): void {
    if (this.roundAhead || this.hopsUnderWay >= HOPS_UNDER_WAY) return;
    this.roundAhead = true;
    setImmediate(this.sendHops);
  }

  private readonly sendHops = (): void => {
    this.roundAhead = false;
    while (this.hopsUnderWay < HOPS_UNDER_WAY) {
      const shares = this.take();
      if (shares.length === 0) return;
      this.hopsUnderWay += 1;
      void this.hop(shares).then(() => this.hopAnswered(shares));
    }
  };

  private hopAnswered(shares: readonly WaitingShare[]): void {
    this.hopsUnderWay -= 1;
    for (const { call, answered } of shares) {
      this.callsUnderWay.delete(call);
      answered();
    }
    if (this.waiting.length > 0) this.sendAtEndOfRound();
    else if (this.hopsUnderWay === 0 && !this.roundAhead) this.idle();
  }

  /** The shares of the next hop: those that waited longest and whose calls have nothing under way. */
  private take(): WaitingShare[] {
    const { maximumPostings, maximumBytes } = this.limits;
    const taken: WaitingShare[] = [];
    const left: WaitingShare[] = [];
    let postings = 0;
    let bytes = 0;
    let full = false;
    /** Calls of which an earlier share is left. */
    const held = new Set<CallContext>();
    for (const share of this.waiting) {
      const { call, indexes, sizeBytes } = share;
      full ||= taken.length > 0 && (postings + indexes.length > maximumPostings || bytes + sizeBytes > maximumBytes);
      if (full || this.callsUnderWay.has(call) || held.has(call)) {
        held.add(call);
        left.push(share);
        continue;
      }
      postings += indexes.length;
      bytes += sizeBytes;
      taken.push(share);
    }
    for (const { call } of taken) this.callsUnderWay.add(call);
    this.waiting = left;
    return taken;
  }

  private async hop(shares: readonly WaitingShare[]): Promise<void> {
    const { partition, caller, forwarding } = this;
    const deadlineMs = shares.reduce((latest, { call }) => Math.max(latest, call.deadlineMs), 0);
    const call = new GatheredCall(caller, deadlineMs);
    const [first] = shares as [WaitingShare];
    if (shares.length === 1) {
      await forwarding.postings(partition, first.batch, first.indexes, first.positions, call);
      return;
    }
    const together = scanPostings(Buffer.concat(shares.flatMap(encodedPostings)), SHAPE_ISSUES);
    const positions: Positions = new Map();
    await forwarding.postings(
      partition,
      together,
      Array.from({ length: together.count }, (_, index) => index),
      positions,
      call,
    );
    let at = 0;
    for (const share of shares) {
      for (const index of share.indexes) {
        takeVerdict(share.batch, index, together, at);
        at += 1;
      }
      for (const [answered, sequence] of positions) share.positions.set(answered, sequence);
    }
    together.release();
  }
}

/** Bytes of the encoded postings. */
export function sizeOf(batch: PostingBatch, indexes: readonly number[]): number {
  let size = 0;
  for (const index of indexes) size += (batch.fields[index * STRIDE + END] as number) - (batch.fields[index * STRIDE + START] as number);
  return size;
}

function encodedPostings({ batch, indexes }: Share): Uint8Array[] {
  return indexes.map((index) => batch.bytes.subarray(batch.fields[index * STRIDE + START], batch.fields[index * STRIDE + END]));
}

function takeVerdict(batch: PostingBatch, index: number, from: PostingBatch, at: number): void {
  const outcome = from.outcomes[at] as number;
  batch.outcomes[index] = outcome;
  batch.repeated[index] = from.repeated[at] as number;
  batch.balancesAfter[index] = from.balancesAfter[at] as bigint;
  batch.heldAfter[index] = from.heldAfter[at] as bigint;
  batch.entryNumbers[index] = from.entryNumbers[at] as number;
  const message = outcome === OUTCOME_ACCEPTED ? undefined : from.messages.get(at);
  if (message !== undefined) batch.messages.set(index, message);
}
