/** Verdicts of ordinary aggregates in the log: written behind the events of their request, and what repeats are answered from. */
import { decodeRequestsDecided, logEvents, logpb, type EventRecord, type RequestsDecidedWriter } from '@sluice/protocol';
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

/** Writes the verdict behind those of the same turn. */
export function addDecided(writer: RequestsDecidedWriter, { requestId, origin, bodyDigest, verdict }: DecidedItem): void {
  const { reason, metadata, reply } = partsOf(origin, verdict);
  writer.add(requestId, ORIGINS[origin], bodyDigest ?? NOTHING, reason, reply, metadata);
}

/** The event of what was written: of one request it is the event that it would have alone. */
export function decidedRecord(writer: RequestsDecidedWriter): EventRecord {
  if (writer.count === 1) return { ...logEvents.written('RequestDecided'), payload: writer.single() };
  return { ...logEvents.written('RequestsDecided'), payload: writer.together() };
}

/** As if each had an event of its own. */
export function* requestsIn(payload: Uint8Array): Generator<logpb.RequestDecided> {
  const { requests, ...name } = decodeRequestsDecided(payload);
  for (const item of requests) yield { ...name, ...item };
}

function itemToProto({ requestId, origin, bodyDigest, verdict }: DecidedItem): logpb.DecidedItem {
  const { reason, metadata, reply } = partsOf(origin, verdict);
  const digest = bodyDigest === undefined ? NOTHING : Buffer.from(bodyDigest);
  return { requestId, origin: ORIGINS[origin], bodyDigest: digest, reason, metadata: { ...metadata }, reply: Buffer.from(reply) };
}

/** What is recorded of a verdict. */
function partsOf(
  origin: RequestOrigin,
  verdict: RequestVerdict,
): { readonly reason: string; readonly metadata: Readonly<Record<string, string>>; readonly reply: Uint8Array } {
  switch (verdict.kind) {
    case 'accepted':
      // Answers to the engine are recorded with its own events.
      return { reason: '', metadata: {}, reply: origin === 'caller' ? verdict.reply : NOTHING };
    case 'rejected':
      return { reason: verdict.reason, metadata: verdict.metadata, reply: NOTHING };
    case 'reused':
    case 'refused':
      throw new Error(`a request that is ${verdict.kind} is not recorded`);
    default:
      return verdict satisfies never;
  }
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
