/**
 * What a signed posting's HMAC-SHA256 is over: request id, account id, type name, counterparty, hold id, unit, each as u32 big-endian
 * length and UTF-8; then amount and signed_at (microseconds) as signed 64-bit big-endian. docs/signatures.md has test vectors.
 */
import { createHmac } from 'node:crypto';

export interface SignedFields {
  readonly requestId: string;
  readonly accountId: string;
  /** "CREDIT", "DEBIT", "HOLD", "CAPTURE" or "RELEASE". */
  readonly typeName: string;
  readonly counterparty: string;
  readonly holdId: string;
  readonly unit: string;
  readonly amountMinor: bigint;
  readonly signedAtUs: bigint;
}

export function signedBytes(fields: SignedFields): Buffer {
  const texts = [fields.requestId, fields.accountId, fields.typeName, fields.counterparty, fields.holdId, fields.unit];
  let length = 16;
  for (const text of texts) length += 4 + Buffer.byteLength(text, 'utf8');
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (const text of texts) {
    const written = bytes.write(text, at + 4, 'utf8');
    bytes.writeUInt32BE(written, at);
    at += 4 + written;
  }
  bytes.writeBigInt64BE(fields.amountMinor, at);
  bytes.writeBigInt64BE(fields.signedAtUs, at + 8);
  return bytes;
}

export function signPosting(key: Uint8Array, fields: SignedFields): Buffer {
  return createHmac('sha256', key).update(signedBytes(fields)).digest();
}
