/**
 * The digest by which a capability recognises a repeat of a request: of the request's canonical bytes. It is stored in events, so
 * it must come out the same for ever, whatever client encoded the request and whatever version of the program reads it.
 *
 * Canonical are the bytes that ts-proto encodes from the decoded message:
 *
 *   order      fields as the proto declares them, which is by number (a test holds the protos to it); a field that came several
 *              times once, a oneof with the case that came last
 *   defaults   a field without `optional` that has its default value is left out; one with `optional` stands where it is set
 *   numbers    the shortest varint; repeated numbers packed
 *   maps       by key, in the order of UTF-16 units, but keys that are array indexes ("0" to "4294967294") first, by value
 *   unknown    fields that the reader does not know are dropped
 *
 * A field that is renamed changes nothing. A field that is added changes nothing for requests without it. A field that is removed,
 * renumbered, or gets another type changes the digests of requests that had it: `npm run protos:breaking` refuses that.
 */
import { hash } from 'node:crypto';

export interface MessageEncoder<Message> {
  encode(message: Message): { finish(): Uint8Array };
}

export const DIGEST_BYTES = 16;
const TYPICAL_REQUEST_BYTES = 256;

/** Digests of many requests of one kind whose canonical bytes are at hand. */
export class RequestDigests {
  /** Name, 0, and room for a request: one call of the hash costs less than several. */
  private hashed: Buffer;
  private readonly prefixBytes: number;

  /** @param name full name of the message. */
  constructor(name: string) {
    const prefix = Buffer.from(`${name}\0`, 'utf8');
    this.prefixBytes = prefix.length;
    this.hashed = Buffer.alloc(prefix.length + TYPICAL_REQUEST_BYTES);
    prefix.copy(this.hashed);
  }

  /** Writes the digest of the request in bytes[at, end) to a place. */
  write(bytes: Uint8Array, at: number, end: number, into: Uint8Array, intoAt: number): void {
    const { prefixBytes } = this;
    const length = prefixBytes + end - at;
    if (length > this.hashed.length) this.hashed = Buffer.concat([this.hashed.subarray(0, prefixBytes)], length);
    const { hashed } = this;
    hashed.set(bytes.subarray(at, end), prefixBytes);
    const digest = hash('sha256', hashed.subarray(0, length), 'buffer');
    for (let index = 0; index < DIGEST_BYTES; index += 1) into[intoAt + index] = digest[index] as number;
  }
}

/** By name of the message: there are as many as kinds of requests. */
const DIGESTS = new Map<string, RequestDigests>();

/**
 * 16 bytes.
 *
 * @param name full name of the message, like "sluice.task.v1.CancelTask": two kinds of requests with the same fields differ.
 */
export function requestDigest<Message>(name: string, encoder: MessageEncoder<Message>, message: Message): Uint8Array {
  let digests = DIGESTS.get(name);
  if (digests === undefined) {
    digests = new RequestDigests(name);
    DIGESTS.set(name, digests);
  }
  const digest = new Uint8Array(DIGEST_BYTES);
  const bytes = canonicalBytes(encoder, message);
  digests.write(bytes, 0, bytes.length, digest, 0);
  return digest;
}

/** The bytes of a decoded message, the same for all encodings of it. Unlike `encode`, it does not depend on the order in which entries of a map came. */
export function canonicalBytes<Message>(encoder: MessageEncoder<Message>, message: Message): Uint8Array {
  return encoder.encode(isFlat(message) ? message : (sorted(message) as Message)).finish();
}

/** Whether nothing in the message can be a map, so that there is nothing to sort: most requests are such. */
function isFlat(message: unknown): boolean {
  for (const value of Object.values(message as object)) if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) return false;
  return true;
}

/** A copy with the keys of all objects in order. Of a message that makes no difference; of a map it is the order of its entries. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
