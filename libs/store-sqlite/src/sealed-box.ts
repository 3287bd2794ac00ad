/**
 * Seals small secrets with AES-256-GCM under one key. What a box belongs to is authenticated with it, so that one sealed
 * value cannot be put in another's place.
 *
 *   version (1 byte, 1) | nonce (12 bytes, random) | tag (16 bytes) | ciphertext
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + NONCE_BYTES + TAG_BYTES;
/** Bytes of the sealing key. */
export const SEALING_KEY_BYTES = 32;

export function seal(sealingKey: Uint8Array, belongsTo: string, secret: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', sealingKey, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(belongsTo, 'utf8'));
  const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()]);
  return new Uint8Array(Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), ciphertext]));
}

/** Undefined: the box was sealed under another key or for something else, or it was changed. */
export function unseal(sealingKey: Uint8Array, belongsTo: string, box: Uint8Array): Uint8Array | undefined {
  if (box.length < HEADER_BYTES || box[0] !== VERSION) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', sealingKey, box.subarray(1, 1 + NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(belongsTo, 'utf8'));
  decipher.setAuthTag(box.subarray(1 + NONCE_BYTES, HEADER_BYTES));
  try {
    return new Uint8Array(Buffer.concat([decipher.update(box.subarray(HEADER_BYTES)), decipher.final()]));
  } catch {
    return undefined;
  }
}
