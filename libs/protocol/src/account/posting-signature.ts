/**
 * What a signed posting's HMAC-SHA256 is over: request id, account id, type name, counterparty, hold id, unit, each as u32 big-endian
 * length and UTF-8; then amount and signed_at (microseconds) as signed 64-bit big-endian. Of a transfer the type name is "TRANSFER" and the
 * counterparty is the target. docs/signatures.md has test vectors.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { POSTING_TYPES } from '@sluice/domain/account';
import { ByteReader } from '../wire/byte-reader';

export interface SignedFields {
  readonly requestId: string;
  readonly accountId: string;
  /** "CREDIT", "DEBIT", "HOLD", "CAPTURE" or "RELEASE"; of a transfer "TRANSFER". */
  readonly typeName: string;
  readonly counterparty: string;
  readonly holdId: string;
  readonly unit: string;
  readonly amountMinor: bigint;
  readonly signedAtUs: bigint;
}

export function signedBytes(fields: SignedFields): Buffer {
  const texts = [fields.requestId, fields.accountId, fields.typeName, fields.counterparty, fields.holdId, fields.unit];
  return join(
    texts.map((text) => Buffer.from(text, 'utf8')),
    fields.amountMinor,
    fields.signedAtUs,
  );
}

export function signPosting(key: Uint8Array, fields: SignedFields): Buffer {
  return createHmac('sha256', key).update(signedBytes(fields)).digest();
}

/** Whether the signature in an encoded Posting, which a scan found nothing wrong with, was made with the key. What is signed is taken as the bytes that came. */
export function postingSignatureVerifies(key: Uint8Array, body: Uint8Array): boolean {
  const texts: Uint8Array[] = [NONE, NONE, NONE, NONE, NONE, NONE];
  let amountMinor = 0n;
  let signedAtUs = 0n;
  let signature: Uint8Array = NONE;
  let target: Uint8Array = NONE;
  const reader = new ByteReader(body, 0, body.length);
  while (!reader.done) {
    const tag = reader.varint();
    switch (tag) {
      case 0x0a:
        texts[0] = reader.view();
        break;
      case 0x12:
        texts[1] = reader.view();
        break;
      case 0x18:
        texts[2] = TYPE_NAMES[reader.varint()] ?? NONE;
        break;
      case 0x20:
        amountMinor = reader.int64();
        break;
      case 0x2a:
        texts[5] = reader.view();
        break;
      case 0x32:
        texts[4] = reader.view();
        break;
      case 0x42:
        texts[3] = reader.view();
        break;
      case 0x62:
        signature = reader.view();
        break;
      case 0x68:
        signedAtUs = reader.int64();
        break;
      case 0x72:
        target = reader.view();
        break;
      default:
        reader.skip(tag & 7);
    }
  }
  if (signature.length !== SIGNATURE_BYTES) return false;
  if (target.length > 0) {
    texts[2] = TRANSFER;
    texts[3] = target;
  }
  return timingSafeEqual(
    createHmac('sha256', key)
      .update(join(texts, amountMinor, signedAtUs))
      .digest(),
    signature,
  );
}

function join(texts: readonly Uint8Array[], amountMinor: bigint, signedAtUs: bigint): Buffer {
  let length = 16;
  for (const text of texts) length += 4 + text.length;
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (const text of texts) {
    bytes.writeUInt32BE(text.length, at);
    bytes.set(text, at + 4);
    at += 4 + text.length;
  }
  bytes.writeBigInt64BE(amountMinor, at);
  bytes.writeBigInt64BE(signedAtUs, at + 8);
  return bytes;
}

const SIGNATURE_BYTES = 32;
const NONE: Uint8Array = new Uint8Array(0);
const TRANSFER: Uint8Array = Buffer.from('TRANSFER', 'utf8');
/** By their number in the proto. */
const TYPE_NAMES: readonly Uint8Array[] = [NONE, ...POSTING_TYPES.map((name) => Buffer.from(name, 'utf8'))];
