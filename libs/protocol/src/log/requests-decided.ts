/**
 * RequestsDecided, read and written by hand. Whoever follows the commits of an aggregate wants its name and its pointer, and not ten thousand
 * verdicts. Whoever decides writes each verdict when it has it. The generated codec is the oracle (property test).
 */
import { RequestsDecided, type RequestOrigin } from '../generated/sluice/log/v1/request_decided';
import { DIGEST_BYTES } from '../request-digest';
import { ByteReader } from '../wire/byte-reader';
import { ByteWriter } from '../wire/byte-writer';

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

const ITEM = { REQUEST_ID: 0x0a, ORIGIN: 0x10, BODY_DIGEST: 0x1a, REASON: 0x22, METADATA: 0x2a, REPLY: 0x32 } as const;
const ENTRY = { KEY: 0x0a, VALUE: 0x12 } as const;
/** A field of an item has a tag lower by this than the same field of RequestDecided. */
const SINGLE_TAG_STEP = 0x18;
const SINGLE_PREVIOUS_SEQUENCE_TAG = 0x50;
const INITIAL_BYTES = 1_024;
const NO_METADATA: Readonly<Record<string, string>> = {};

/** Writes the verdicts on requests of one aggregate in one turn, each when it is known. */
export class RequestsDecidedWriter {
  count = 0;
  private readonly writer = new ByteWriter(INITIAL_BYTES);
  /** Where the items begin. */
  private readonly itemsAt: number;

  constructor(private readonly names: DecidedTogether) {
    const { writer } = this;
    this.writeNames(writer);
    writer.numberField(PREVIOUS_SEQUENCE_TAG, names.previousSequence);
    this.itemsAt = writer.at;
  }

  /** @param bodyDigest empty: the request is not a caller's. @param reason empty: it was accepted. */
  add(
    requestId: string,
    origin: RequestOrigin,
    bodyDigest: Uint8Array,
    reason: string,
    reply: Uint8Array,
    metadata: Readonly<Record<string, string>> = NO_METADATA,
  ): void {
    const { writer } = this;
    const item = writer.openShort(REQUESTS_TAG);
    writer.stringField(ITEM.REQUEST_ID, requestId);
    writer.numberField(ITEM.ORIGIN, origin);
    if (bodyDigest.length > 0) writer.bytesField(ITEM.BODY_DIGEST, bodyDigest);
    writer.stringField(ITEM.REASON, reason);
    if (metadata !== NO_METADATA) this.writeMetadata(metadata);
    if (reply.length > 0) writer.bytesField(ITEM.REPLY, reply);
    writer.closeShort(item);
    this.count += 1;
  }

  /**
   * The same for a request whose id, digest and reply lie in bytes.
   *
   * @param idEnd ids are not empty. @param digests holds its digest at `digestAt`. @param reply its first `replyEnd` bytes; 0: there is none.
   */
  addBytes(
    ids: Uint8Array,
    idAt: number,
    idEnd: number,
    origin: RequestOrigin,
    digests: Uint8Array,
    digestAt: number,
    reason: string,
    reply: Uint8Array,
    replyEnd: number,
  ): void {
    const { writer } = this;
    const item = writer.openShort(REQUESTS_TAG);
    writer.reserve(idEnd - idAt + DIGEST_BYTES + 16);
    writer.byte(ITEM.REQUEST_ID);
    writer.varint(idEnd - idAt);
    writer.raw(ids, idAt, idEnd);
    writer.byte(ITEM.ORIGIN);
    writer.varint(origin);
    writer.byte(ITEM.BODY_DIGEST);
    writer.byte(DIGEST_BYTES);
    writer.raw(digests, digestAt, digestAt + DIGEST_BYTES);
    writer.stringField(ITEM.REASON, reason);
    if (replyEnd > 0) {
      writer.reserve(8);
      writer.byte(ITEM.REPLY);
      writer.varint(replyEnd);
      writer.raw(reply, 0, replyEnd);
    }
    writer.closeShort(item);
    this.count += 1;
  }

  /** The encoded RequestsDecided. */
  together(): Buffer {
    const { writer } = this;
    return writer.bytes.subarray(0, writer.at);
  }

  /** The encoded RequestDecided of the only request. */
  single(): Buffer {
    const { bytes, at: end } = this.writer;
    const items = new ByteReader(bytes, this.itemsAt + 1, end);
    items.length();
    const writer = new ByteWriter(end + 16);
    this.writeNames(writer);
    while (!items.done) {
      const tag = bytes[items.at] as number;
      const from = items.at + 1;
      items.at = from;
      items.skip(tag & 7);
      writer.reserve(1);
      writer.byte(tag + SINGLE_TAG_STEP);
      writer.raw(bytes, from, items.at);
    }
    writer.numberField(SINGLE_PREVIOUS_SEQUENCE_TAG, this.names.previousSequence);
    return writer.bytes.subarray(0, writer.at);
  }

  private writeNames(writer: ByteWriter): void {
    const { capability, aggregate, key } = this.names;
    writer.stringField(CAPABILITY_TAG, capability);
    writer.stringField(AGGREGATE_TAG, aggregate);
    writer.stringField(KEY_TAG, key);
  }

  private writeMetadata(metadata: Readonly<Record<string, string>>): void {
    const { writer } = this;
    for (const [key, value] of Object.entries(metadata)) {
      const entry = writer.openShort(ITEM.METADATA);
      writer.stringField(ENTRY.KEY, key);
      writer.stringField(ENTRY.VALUE, value);
      writer.closeShort(entry);
    }
  }
}
