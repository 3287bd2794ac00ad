/**
 * The postings of one batch that belong to one partition, on their way through a turn.
 *
 * What memory or the disk knows about a request id makes a posting a *suspect*: it is taken out of the turn and answered from the
 * commit that holds the first one, once that is durable. A repeat never changes state, so nothing has to wait for it. A suspect that
 * turns out to be new (hashes collided) is submitted again.
 */
import { TurnLostError, type Partition, type Submission, type SubmissionFailure, type Turn } from '@sluice/engine';
import { OUTCOME_NONE, STRIDE, START, END, SIGNED_FLAG, HOLD_ID_LENGTH_AND_FLAGS, type PostingBatch } from '@sluice/protocol';
import type { AccountState } from './account-state';
import { INVALID_REQUEST, NOT_OWNER, PARTITION_UNAVAILABLE, POSTING_TYPE_UNKNOWN, SHUTTING_DOWN } from './outcomes';
import { recordBytesOf } from './posting-record-size';
import type { SignatureChecks } from './signatures';

// Local copies: an import from a library costs a getter at every use, and this is the hot path.
const none = OUTCOME_NONE;
const stride = STRIDE;
const flagsColumn = HOLD_ID_LENGTH_AND_FLAGS;
const signedFlag = SIGNED_FLAG;

export interface Suspect {
  readonly index: number;
  /** Commits that may hold the first request. */
  readonly sequences: readonly number[];
}

export class PostingSubmission implements Submission {
  readonly commandCount: number;
  readonly sizeBytes: number;
  readonly recordBytes: number;
  readonly prepared: Promise<void> | undefined;
  suspects: Suspect[] | undefined;
  /** Commits that were read and do not hold the request of this index. */
  ruledOut: Map<number, ReadonlySet<number>> | undefined;
  /** Commits that the disk has for the request of this index. */
  private old: Map<number, readonly number[]> | undefined;
  private signatures: SignatureChecks | undefined;
  /** Highest sequence that the answers depend on. */
  sequence = 0;
  /** The partition went to another instance before the postings were decided, or before their commit was durable. */
  notOwner = false;

  constructor(
    readonly state: AccountState,
    readonly partition: Partition,
    readonly batch: PostingBatch,
    /** Positions in the batch; undefined: all. */
    readonly indexes: readonly number[] | undefined,
    private readonly done: () => void,
    readonly traceparent?: string,
    recordBytes?: number,
  ) {
    this.commandCount = indexes?.length ?? batch.count;
    this.sizeBytes = indexes === undefined ? batch.bytes.length : sizeOf(batch, indexes);
    this.recordBytes = recordBytes ?? recordBytesOf(this.sizeBytes, this.commandCount);
    this.prepared = this.prepare();
  }

  get count(): number {
    return this.commandCount;
  }

  *aggregates(): Generator<number> {
    for (let item = 0; item < this.count; item += 1) yield this.batch.accountHashes[this.indexAt(item)] as number;
  }

  indexAt(item: number): number {
    return this.indexes === undefined ? item : (this.indexes[item] as number);
  }

  oldSequences(index: number): readonly number[] | undefined {
    return this.old?.get(index);
  }

  /** Whether the posting's signature verifies under the key; undefined: the key is not at hand. */
  signatureValid(index: number, signingKeyId: string): boolean | undefined {
    return this.signatures?.valid(index, signingKeyId) ?? this.state.verifyNow(this.batch, index, signingKeyId);
  }

  decide(turn: Turn): void {
    this.state.decidePostings(turn, this);
  }

  settle(sequence: number): void {
    this.sequence = sequence;
    if (this.suspects === undefined) this.done();
    else void this.answerSuspects(this.suspects);
  }

  refuseUndecided(outcome: number): void {
    for (let item = 0; item < this.count; item += 1) if (this.batch.outcomes[this.indexAt(item)] === none) this.batch.outcomes[this.indexAt(item)] = outcome;
  }

  fail(failure: SubmissionFailure): void {
    this.notOwner = failure === 'NOT_OWNER';
    const outcome = failure === 'SHUTTING_DOWN' ? SHUTTING_DOWN : failure === 'NOT_OWNER' ? NOT_OWNER : PARTITION_UNAVAILABLE;
    const { batch } = this;
    for (let item = 0; item < this.count; item += 1) {
      const index = this.indexAt(item);
      // What the scan refused stays refused for its shape.
      const known = batch.outcomes[index];
      if (known === INVALID_REQUEST || known === POSTING_TYPE_UNKNOWN) continue;
      batch.outcomes[index] = outcome;
      batch.repeated[index] = 0;
    }
    this.done();
  }

  private async answerSuspects(suspects: readonly Suspect[]): Promise<void> {
    const again: number[] = [];
    const ruledOut = new Map<number, ReadonlySet<number>>();
    const { batch, state } = this;
    for (const { index, sequences } of suspects) {
      try {
        let answered = false;
        for (const sequence of sequences) {
          if (!(await state.answerRepeat(batch, index, sequence))) continue;
          answered = true;
          this.sequence = Math.max(this.sequence, sequence);
          break;
        }
        if (answered) continue;
        again.push(index);
        ruledOut.set(index, new Set([...(this.ruledOut?.get(index) ?? []), ...sequences]));
      } catch (error) {
        if (!(error instanceof TurnLostError)) state.trouble('a repeat could not be looked up', error);
        batch.outcomes[index] = PARTITION_UNAVAILABLE;
      }
    }
    if (again.length === 0 && !(batch.atomic && suspects.length < this.count)) this.done();
    else this.submitAgain(batch.atomic ? this.undecided() : again, ruledOut);
  }

  /** Of an atomic batch with some repeats: what has no verdict yet. */
  private undecided(): number[] {
    const open: number[] = [];
    for (let item = 0; item < this.count; item += 1) if (this.batch.outcomes[this.indexAt(item)] === OUTCOME_NONE) open.push(this.indexAt(item));
    return open;
  }

  private submitAgain(indexes: readonly number[], ruledOut: Map<number, ReadonlySet<number>>): void {
    if (indexes.length === 0) {
      this.done();
      return;
    }
    const { partition, batch } = this;
    if (partition.state !== 'serving') {
      for (const index of indexes) batch.outcomes[index] = PARTITION_UNAVAILABLE;
      this.done();
      return;
    }
    // To the state as it is now: it may have been loaded anew since.
    const again = new PostingSubmission(
      partition.stateOf('account') as AccountState,
      partition,
      batch,
      indexes,
      () => {
        this.sequence = Math.max(this.sequence, again.sequence);
        this.done();
      },
      this.traceparent,
    );
    again.ruledOut = ruledOut;
    try {
      partition.submit(again);
    } catch {
      again.fail('PARTITION_UNAVAILABLE');
    }
  }

  // ---- before the turn ----

  private prepare(): Promise<void> | undefined {
    const { batch, state } = this;
    const { index: requests } = this.partition;
    const { requestHashes, outcomes, fields } = batch;
    let lookUps: number[] | undefined;
    let signed: number[] | undefined;
    for (let item = 0; item < this.count; item += 1) {
      const index = this.indexAt(item);
      if (outcomes[index] !== none) continue;
      if (requests.mayBeOld(requestHashes[index * 2] as number, requestHashes[index * 2 + 1] as number)) (lookUps ??= []).push(index);
      if (((fields[index * stride + flagsColumn] as number) & signedFlag) !== 0) (signed ??= []).push(index);
    }
    const checks = signed === undefined ? undefined : state.signatures.check(batch, signed, (index) => state.signingKeyOf(batch, index));
    if (lookUps === undefined && checks === undefined) return undefined;
    return this.awaitPreparation(lookUps ?? [], checks);
  }

  private async awaitPreparation(lookUps: readonly number[], checks: Promise<SignatureChecks> | undefined): Promise<void> {
    try {
      if (checks !== undefined) this.signatures = await checks;
      const { requestHashes } = this.batch;
      for (const index of lookUps) {
        const sequences = await this.partition.index.old(requestHashes[index * 2] as number, requestHashes[index * 2 + 1] as number);
        if (sequences.length > 0) (this.old ??= new Map()).set(index, sequences);
      }
    } catch (error) {
      // Without the look-up a repeat might be done twice: nothing of the submission is decided.
      this.state.trouble('signatures could not be checked, or request ids not looked up', error);
      this.unusable = true;
    }
  }

  unusable = false;
}

export function sizeOf(batch: PostingBatch, indexes: readonly number[]): number {
  let size = 0;
  for (const index of indexes) size += (batch.fields[index * STRIDE + END] as number) - (batch.fields[index * STRIDE + START] as number);
  return size;
}
