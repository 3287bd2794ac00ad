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
import { createHash } from 'node:crypto';

export interface MessageEncoder<Message> {
  encode(message: Message): { finish(): Uint8Array };
}

const DIGEST_BYTES = 16;

/**
 * 16 bytes.
 *
 * @param name full name of the message, like "sluice.task.v1.CancelTask": two kinds of requests with the same fields differ.
 */
export function requestDigest<Message>(name: string, encoder: MessageEncoder<Message>, message: Message): Uint8Array {
  const hash = createHash('sha256').update(name, 'utf8').update('\0').update(canonicalBytes(encoder, message));
  return new Uint8Array(hash.digest().subarray(0, DIGEST_BYTES));
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
