/** Verdicts of ordinary aggregates in the log: written behind the events of their request, and what repeats are answered from. */
import { decodeRequestsDecided, encodeRequestsDecided, logEvents, logpb, type EventRecord } from '@sluice/protocol';
import type { RecordedRequests } from '../requests/commit-search';
import type { RequestRefusal } from '../requests/request-submission';
import type { RequestOrigin } from './aggregate-definition';

const NOTHING = Buffer.alloc(0);

export type RequestVerdict =
  | { readonly kind: 'accepted'; readonly reply: Uint8Array }
  | { readonly kind: 'rejected'; readonly reason: string; readonly metadata: Readonly<Record<string, string>> }
  /** The id was used before with another body. */
  | { readonly kind: 'reused' }
  /** The partition did not decide it. */
  | { readonly kind: 'refused'; readonly refusal: RequestRefusal; readonly message?: string };

/** A verdict that stands in a commit. */
export interface RecordedRequest {
  readonly bodyDigest: Uint8Array;
  readonly verdict: RequestVerdict;
}

/** Names an aggregate in the log. */
export interface AggregateName {
  readonly capability: string;
  readonly aggregate: string;
  readonly key: string;
}

export interface DecidedItem {
  readonly requestId: string;
  readonly origin: RequestOrigin;
  /** Undefined: not a caller's. */
  readonly bodyDigest: Uint8Array | undefined;
  readonly verdict: RequestVerdict;
}

/** The aggregate that decided, with the sequence of the commit before in which something of it was decided. */
export interface DecidedName extends AggregateName {
  readonly previousSequence: number;
}

export type DecidedRequest = DecidedName & DecidedItem;

const ORIGINS: Readonly<Record<RequestOrigin, logpb.RequestOrigin>> = {
  caller: logpb.RequestOrigin.REQUEST_ORIGIN_CALLER,
  delivery: logpb.RequestOrigin.REQUEST_ORIGIN_DELIVERY,
  timer: logpb.RequestOrigin.REQUEST_ORIGIN_TIMER,
  sweep: logpb.RequestOrigin.REQUEST_ORIGIN_SWEEP,
  settled: logpb.RequestOrigin.REQUEST_ORIGIN_SETTLED,
};

/** The event of a decided request. What the partition did not decide, or knows from another commit, is no such event. */
export function requestDecided({ capability, aggregate, key, previousSequence, ...item }: DecidedRequest): EventRecord {
  return logEvents.record('RequestDecided', { capability, aggregate, key, ...itemToProto(item), previousSequence: BigInt(previousSequence) });
}

/** The same for several requests of one turn. */
export function requestsDecided({ capability, aggregate, key, previousSequence }: DecidedName, items: readonly DecidedItem[]): EventRecord {
  const requests = items.map(itemToProto);
  const decided = { capability, aggregate, key, previousSequence: BigInt(previousSequence), requests };
  return logEvents.record('RequestsDecided', encodeRequestsDecided(decided));
}

/** As if each had an event of its own. */
export function* requestsIn(payload: Uint8Array): Generator<logpb.RequestDecided> {
  const { requests, ...name } = decodeRequestsDecided(payload);
  for (const item of requests) yield { ...name, ...item };
}

function itemToProto({ requestId, origin, bodyDigest, verdict }: DecidedItem): logpb.DecidedItem {
  if (verdict.kind === 'reused' || verdict.kind === 'refused') throw new Error(`a request that is ${verdict.kind} is not recorded`);
  const accepted = verdict.kind === 'accepted';
  return {
    requestId,
    origin: ORIGINS[origin],
    bodyDigest: bodyDigest === undefined ? NOTHING : Buffer.from(bodyDigest),
    reason: accepted ? '' : verdict.reason,
    metadata: accepted ? {} : { ...verdict.metadata },
    // Answers to the engine are recorded with its own events.
    reply: accepted && origin === 'caller' ? Buffer.from(verdict.reply) : NOTHING,
  };
}

/** Key of an aggregate among those of all capabilities. */
export function nameKey({ capability, aggregate, key }: AggregateName): string {
  return `${capability}.${aggregate}.${key}`;
}

/** Requests of callers, wherever ordinary aggregates record them. */
export const recordedRequests: RecordedRequests<RecordedRequest> = {
  *search(commit, wanted) {
    for (const event of commit.events) {
      const decided = logEvents.readOnly('RequestDecided', event, commit);
      if (decided !== undefined) foundIn(decided, decided, wanted);
      const together = logEvents.readOnly('RequestsDecided', event, commit);
      if (together !== undefined) for (const one of requestsIn(together)) foundIn(one, one, wanted);
      yield event.payload.length;
    }
  },
};

type Wanted = Parameters<RecordedRequests<RecordedRequest>['search']>[1];

function foundIn(name: AggregateName, { origin, requestId, reason, metadata, reply, bodyDigest }: logpb.DecidedItem, wanted: Wanted): void {
  if (origin !== logpb.RequestOrigin.REQUEST_ORIGIN_CALLER) return;
  const verdict: RequestVerdict = reason === '' ? { kind: 'accepted', reply } : { kind: 'rejected', reason, metadata };
  wanted.found(nameKey(name), requestId, { bodyDigest, verdict });
}
