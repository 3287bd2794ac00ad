/**
 * A caller's signature, as docs/signatures.md has it: HMAC-SHA256 over length-prefixed UTF-8 of request id, account, type,
 * counterparty, hold id and unit, then amount and time of signing as i64 big-endian.
 */
import { createHmac } from 'node:crypto';
import type { accountpb } from '@sluice/protocol/account';

const LENGTH_BYTES = 4;
const NUMBER_BYTES = 8;

/** @param type the posting's type by its name in the signature, like CREDIT. */
export function signPosting(posting: accountpb.Posting, type: string, signingKey: Uint8Array): Buffer {
  const texts = [posting.requestId, posting.accountId, type, posting.counterparty, posting.holdId, posting.unit];
  const parts = texts.flatMap((text) => {
    const utf8 = Buffer.from(text, 'utf8');
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(utf8.length);
    return [length, utf8];
  });
  const numbers = Buffer.alloc(2 * NUMBER_BYTES);
  numbers.writeBigInt64BE(posting.amountMinor, 0);
  numbers.writeBigInt64BE(posting.signedAtUs, NUMBER_BYTES);
  return createHmac('sha256', signingKey)
    .update(Buffer.concat([...parts, numbers]))
    .digest();
}
