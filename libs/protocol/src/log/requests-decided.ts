/**
 * RequestsDecided, read by hand: whoever follows the commits of an aggregate wants its name and its pointer, and not ten thousand verdicts.
 */
import { RequestsDecided } from '../generated/sluice/log/v1/request_decided';
import { ByteReader } from '../wire/byte-reader';

/** Whose requests were decided together. */
export interface DecidedTogether {
  readonly capability: string;
  readonly aggregate: string;
  readonly key: string;
  /** 0: there is no commit before. */
  readonly previousSequence: number;
}

const CAPABILITY_TAG = 0x0a;
const AGGREGATE_TAG = 0x12;
const KEY_TAG = 0x1a;
const PREVIOUS_SEQUENCE_TAG = 0x20;
const REQUESTS_TAG = 0x2a;

/** Fields stand in the order of their numbers: the names end where the requests begin. */
export function decidedTogetherIn(payload: Uint8Array): DecidedTogether {
  const reader = new ByteReader(payload, 0, payload.length);
  const names = { capability: '', aggregate: '', key: '', previousSequence: 0 };
  while (!reader.done) {
    const tag = reader.varint();
    if (tag === REQUESTS_TAG) break;
    if (tag === CAPABILITY_TAG) names.capability = reader.string();
    else if (tag === AGGREGATE_TAG) names.aggregate = reader.string();
    else if (tag === KEY_TAG) names.key = reader.string();
    else if (tag === PREVIOUS_SEQUENCE_TAG) names.previousSequence = reader.varint();
    else reader.skip(tag & 7);
  }
  return names;
}

/** All of it. */
export function decodeRequestsDecided(payload: Uint8Array): RequestsDecided {
  return RequestsDecided.decode(payload);
}

export function encodeRequestsDecided(decided: RequestsDecided): Uint8Array {
  return RequestsDecided.encode(decided).finish();
}
