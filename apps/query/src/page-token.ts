/**
 * Page tokens: where the next page starts. Opaque to callers, and only good for the listing that gave them out, with the same
 * filters: its scope goes into the token as a digest.
 *
 *   base64url( version 1 | digest of the scope, 4 bytes | cursor, UTF-8 | check, 4 bytes )
 */
import { murmurHash3 } from '@sluice/domain';
import { refusal } from '@sluice/service';

const VERSION = 1;
const HEADER_BYTES = 5;
const CHECK_BYTES = 4;
const CHECK_SEED = 0x70_61_67_65;
/** A cursor has at most a few ids of 128 bytes, each of which may be escaped, and a few figures. */
const MAXIMUM_TOKEN_LENGTH = 8_192;

/** @param scope the listing and everything that filters it, as in the request. */
export function encodePageToken(scope: readonly unknown[], cursor: string): string {
  const utf8 = Buffer.from(cursor, 'utf8');
  const token = Buffer.alloc(HEADER_BYTES + utf8.length + CHECK_BYTES);
  token[0] = VERSION;
  token.writeInt32BE(digestOf(scope), 1);
  utf8.copy(token, HEADER_BYTES);
  token.writeInt32BE(checkOf(token), token.length - CHECK_BYTES);
  return token.toString('base64url');
}

/** The cursor; undefined: the first page. */
export function decodePageToken(scope: readonly unknown[], token: string): string | undefined {
  if (token === '') return undefined;
  const bytes = token.length > MAXIMUM_TOKEN_LENGTH ? Buffer.alloc(0) : Buffer.from(token, 'base64url');
  const sound =
    bytes.length > HEADER_BYTES + CHECK_BYTES &&
    bytes[0] === VERSION &&
    bytes.readInt32BE(bytes.length - CHECK_BYTES) === checkOf(bytes) &&
    bytes.toString('base64url') === token;
  if (!sound) throw refusal('PAGE_TOKEN_INVALID');
  if (bytes.readInt32BE(1) !== digestOf(scope)) throw refusal('PAGE_TOKEN_INVALID', 'The page token is of another listing, or of other filters.');
  return bytes.toString('utf8', HEADER_BYTES, bytes.length - CHECK_BYTES);
}

function digestOf(scope: readonly unknown[]): number {
  const text = Buffer.from(
    JSON.stringify(scope, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)),
    'utf8',
  );
  return murmurHash3(text, 0, text.length, CHECK_SEED);
}

function checkOf(token: Uint8Array): number {
  return murmurHash3(token, 0, token.length - CHECK_BYTES, CHECK_SEED);
}
