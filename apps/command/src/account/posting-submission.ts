/** The postings of one batch that belong to one partition, on their way through a turn. */
import { RequestSubmission, type Partition, type RequestRefusal, type Turn } from '@sluice/engine';
import { OUTCOME_NONE, STRIDE, START, END, SIGNED_FLAG, HOLD_ID_LENGTH_AND_FLAGS, type PostingBatch } from '@sluice/protocol/account';
import type { AccountState } from './account-state';
import { INVALID_REQUEST, outcomeOfRefusal, PARTITION_UNAVAILABLE, POSTING_TYPE_UNKNOWN, SIGNING_KEY_MISSING } from './outcomes';
import { recordBytesOf } from './posting-record-size';
import type { SignatureChecks } from './signatures';

// Local copies: an import from a library costs a getter at every use, and this is the hot path.
const none = OUTCOME_NONE;
const stride = STRIDE;
const flagsColumn = HOLD_ID_LENGTH_AND_FLAGS;
const signedFlag = SIGNED_FLAG;
const startColumn = START;
const endColumn = END;

export class PostingSubmission extends RequestSubmission {
  readonly commandCount: number;
  readonly sizeBytes: number;
  readonly recordBytes: number;
  readonly prepared: Promise<void> | undefined;
  private signatures: SignatureChecks | undefined;

  constructor(
    readonly state: AccountState,
    partition: Partition,
    readonly batch: PostingBatch,
    /** Positions in the batch; undefined: all. */
    readonly indexes: readonly number[] | undefined,
    done: () => void,
    traceparent?: string,
    recordBytes?: number,
  ) {
    super(partition, done, traceparent);
    this.commandCount = indexes?.length ?? batch.count;
    this.sizeBytes = indexes === undefined ? batch.bytes.length : sizeOf(batch, indexes);
    this.recordBytes = recordBytes ?? recordBytesOf(batch, this.sizeBytes, this.commandCount);
    this.prepared = this.prepare(this.checkSignatures());
  }

  /** A transfer within the partition touches its target, too. */
  *aggregates(): Generator<number> {
    const { accountHashes, partitions, legs } = this.batch;
    for (let position = 0; position < this.commandCount; position += 1) {
      const index = this.itemAt(position);
      yield accountHashes[index] as number;
      if (legs !== undefined && legs.otherPartitions[index] === partitions[index]) yield legs.otherAccountHashes[index] as number;
    }
  }

  itemAt(position: number): number {
    return this.indexes === undefined ? position : (this.indexes[position] as number);
  }

  /** Whether the posting's signature verifies under the key; undefined: the key is not at hand. */
  signatureValid(index: number, signingKeyId: string): boolean | undefined {
    return this.signatures?.valid(index, signingKeyId) ?? this.state.verifyNow(this.batch, index, signingKeyId);
  }

  /** Outcome of a posting whose signature could not be checked: the keyring lacks the key, or it is not at hand now. */
  uncheckedOutcome(signingKeyId: string): number {
    return this.signatures?.lacks(signingKeyId) === true ? SIGNING_KEY_MISSING : PARTITION_UNAVAILABLE;
  }

  protected isOpen(index: number): boolean {
    return this.batch.outcomes[index] === none;
  }

  protected firstHash(index: number): number {
    return this.batch.requestHashes[index * 2] as number;
  }

  protected secondHash(index: number): number {
    return this.batch.requestHashes[index * 2 + 1] as number;
  }

  protected decideItems(turn: Turn): void {
    this.state.decidePostings(turn, this);
  }

  protected answerFrom(index: number, sequence: number): Promise<boolean> {
    return this.state.answerRepeat(this.batch, index, sequence);
  }

  /** What the scan refused stays refused for its shape. */
  protected refuse(index: number, refusal: RequestRefusal, message?: string): void {
    const { outcomes, repeated, messages } = this.batch;
    const known = outcomes[index];
    if (known === INVALID_REQUEST || known === POSTING_TYPE_UNKNOWN) return;
    outcomes[index] = outcomeOfRefusal(refusal);
    repeated[index] = 0;
    if (message !== undefined) messages.set(index, message);
  }

  protected again(indexes: readonly number[], done: () => void): PostingSubmission {
    const { partition, batch, traceparent } = this;
    return new PostingSubmission(partition.stateOf('account') as AccountState, partition, batch, indexes, done, traceparent);
  }

  protected trouble(what: string, error: unknown): void {
    this.state.trouble(what, error);
  }

  private checkSignatures(): Promise<void> | undefined {
    const { batch, state } = this;
    const { fields } = batch;
    let signed: number[] | undefined;
    for (let position = 0; position < this.commandCount; position += 1) {
      const index = this.itemAt(position);
      if (((fields[index * stride + flagsColumn] as number) & signedFlag) !== 0 && this.isOpen(index)) (signed ??= []).push(index);
    }
    if (signed === undefined) return undefined;
    const checks = state.signatures.check(batch, signed, (index) => state.signingKeyOf(batch, index));
    return checks?.then((checked) => {
      this.signatures = checked;
    });
  }
}

export function sizeOf(batch: PostingBatch, indexes: readonly number[]): number {
  let size = 0;
  for (const index of indexes) size += (batch.fields[index * stride + endColumn] as number) - (batch.fields[index * stride + startColumn] as number);
  return size;
}
