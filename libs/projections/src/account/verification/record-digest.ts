/**
 * One number for all records of an account, whatever order they are met in: so that the records in the log and those in the
 * segments, which stand in another order, are compared without holding either. Every record goes in with its number.
 */
import { murmurHash3 } from '@sluice/domain';
import { accountpb } from '@sluice/protocol/account';

export interface DigestedRecord {
  readonly recordNumber: number;
  readonly sequence: number;
  readonly posting: accountpb.Posting;
  readonly balanceAfterMinor: bigint;
  readonly heldAfterMinor: bigint;
  readonly rejection: number;
}

export class RecordDigest {
  count = 0;
  private sum = 0;
  private weightedSum = 0;

  add(record: DigestedRecord): void {
    const { posting, recordNumber, sequence, balanceAfterMinor, heldAfterMinor, rejection } = record;
    // Encoded anew, so that both sides stand in one form whatever bytes the caller sent.
    const request = accountpb.Posting.encode(posting).finish();
    let hash = murmurHash3(request, 0, request.length, recordNumber);
    hash = mix(hash, sequence);
    hash = mix(hash, Number(BigInt.asIntN(32, balanceAfterMinor)));
    hash = mix(hash, Number(BigInt.asIntN(32, balanceAfterMinor >> 32n)));
    hash = mix(hash, Number(BigInt.asIntN(32, heldAfterMinor)));
    hash = mix(hash, Number(BigInt.asIntN(32, heldAfterMinor >> 32n)));
    hash = mix(hash, rejection);
    this.count += 1;
    this.sum = (this.sum + hash) | 0;
    this.weightedSum = (this.weightedSum + Math.imul(hash, recordNumber | 1)) | 0;
  }

  equals(other: RecordDigest): boolean {
    return this.count === other.count && this.sum === other.sum && this.weightedSum === other.weightedSum;
  }
}

/** As MurmurHash3 takes a block in. */
function mix(hash: number, value: number): number {
  let block = Math.imul(value | 0, 0xcc9e2d51);
  block = Math.imul((block << 15) | (block >>> 17), 0x1b873593);
  const mixed = hash ^ block;
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}
