/** A posting of a batch, as the domain sees it. */
import { holdExpiry, type Posting, type PostingType } from '@sluice/domain/account';
import { EXPIRES_FLAG, HOLD_ID_LENGTH_AND_FLAGS, holdEndIn, STRIDE, type PostingBatch } from '@sluice/protocol/account';

// Local copies: an import from a library costs a getter at every use, and this is the hot path.
const stride = STRIDE;
const flagsColumn = HOLD_ID_LENGTH_AND_FLAGS;
const expiresFlag = EXPIRES_FLAG;

/** Strings are made only when they are read. */
export class PostingView implements Posting {
  batch!: PostingBatch;
  index = 0;
  type: PostingType = 'CREDIT';
  amountMinor = 0n;
  unit = '';
  final = false;
  committedAtUs = 0;

  get holdExpiresAtUs(): number {
    const { batch, index } = this;
    if (((batch.fields[index * stride + flagsColumn] as number) & expiresFlag) === 0) return 0;
    return holdExpiry(holdEndIn(batch.body(index)), this.committedAtUs);
  }

  get requestId(): string {
    return this.batch.requestId(this.index);
  }

  get holdId(): string {
    return this.batch.holdId(this.index);
  }
}
