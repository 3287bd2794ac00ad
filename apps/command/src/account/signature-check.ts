/** Verifies the signature of one encoded posting. The same code runs in the turn's thread and in the pool. */
import { timingSafeEqual } from 'node:crypto';
import { POSTING_TYPES } from '@sluice/domain';
import { accountpb, signPosting } from '@sluice/protocol';

export function signatureVerifies(key: Uint8Array, body: Uint8Array): boolean {
  const posting = accountpb.Posting.decode(body);
  if (posting.signature.length !== 32) return false;
  const expected = signPosting(key, { ...posting, typeName: POSTING_TYPES[posting.type - 1] ?? '' });
  return timingSafeEqual(expected, posting.signature);
}
