/** Atomic batches: all of their postings are done, or none. */
import { applyPosting, decidePosting, type Account, type AcceptedPosting } from '@sluice/domain/account';
import type { Turn } from '@sluice/engine';
import { OUTCOME_ACCEPTED, OUTCOME_NONE, type PostingBatch } from '@sluice/protocol/account';
import type { AccountTable } from './account-table';
import { AtomicTrial } from './atomic-trial';
import { ACCOUNT_NOT_FOUND, BATCH_REFUSED, isRecorded, isTransient, outcomeOf, REQUEST_ID_REUSED, SIGNATURE_INVALID } from './outcomes';
import { noteBalance, type PostingDecisions } from './posting-decisions';
import type { PostingSubmission } from './posting-submission';
import { hasSameSignature, samePosting } from './recorded-verdicts';

const BATCH_ABORTED = outcomeOf('BATCH_ABORTED');

// Local copies: an import from a library costs a getter at every use, and this is the hot path.
const acceptedOutcome = OUTCOME_ACCEPTED;
const none = OUTCOME_NONE;
const decide = decidePosting;
const apply = applyPosting;

export class AtomicBatches {
  constructor(
    private readonly postings: PostingDecisions,
    private readonly table: AccountTable,
  ) {}

  /**
   * All or none. Repeats are answered first, from their commits, and the batch comes again for the rest. It is tried on the accounts
   * themselves and taken back where an item is refused.
   */
  decide(turn: Turn, submission: PostingSubmission): void {
    const { batch } = submission;
    const items: number[] = [];
    for (let position = 0; position < submission.commandCount; position += 1) {
      const index = submission.itemAt(position);
      if (batch.outcomes[index] === none) items.push(index);
    }
    for (const index of items) this.postings.setAside(submission, index);
    if (submission.hasSuspects) return;
    const firstUses = this.firstUses(submission, items);
    this.decideFirstUses(
      turn,
      submission,
      items.filter((index) => !firstUses.has(index)),
    );
    for (const [index, first] of firstUses) answerAsFirst(batch, index, first);
  }

  /**
   * The first use of every posting that comes a second time in the batch. A second use with another body is refused; so is one whose signature is
   * another and does not verify.
   */
  private firstUses(submission: PostingSubmission, items: readonly number[]): Map<number, number> {
    const { batch } = submission;
    const seen = new Map<string, number>();
    const firstUses = new Map<number, number>();
    for (const index of items) {
      const accountId = batch.accountId(index);
      const key = `${accountId.length}:${accountId}${batch.requestId(index)}`;
      const first = seen.get(key);
      if (first === undefined) seen.set(key, index);
      else if (!samePosting(batch.body(first), batch.body(index))) batch.outcomes[index] = REQUEST_ID_REUSED;
      else if (hasSameSignature(batch.body(first), batch.body(index)) || this.signatureOutcome(submission, index) === none) firstUses.set(index, first);
    }
    return firstUses;
  }

  /** 0: the account asks for no signature, or it verifies. Anything else is the posting's outcome from now on. */
  private signatureOutcome(submission: PostingSubmission, index: number): number {
    const { batch } = submission;
    const keyId = this.postings.signingKeyOf(batch, index);
    const valid = keyId === '' || submission.signatureValid(index, keyId);
    if (valid !== true) batch.outcomes[index] = valid === undefined ? submission.uncheckedOutcome(keyId) : SIGNATURE_INVALID;
    return batch.outcomes[index] as number;
  }

  private decideFirstUses(turn: Turn, submission: PostingSubmission, items: readonly number[]): void {
    const { batch } = submission;
    const known = refusedAlready(batch);
    if (known !== none) {
      this.abort(batch, items, known);
      return;
    }
    // Nothing can be recorded of an account that does not exist: it goes before every reason that is recorded.
    const unknown = items.find((index) => this.postings.ordinalOfPosting(batch, index) === -1);
    if (unknown !== undefined) {
      batch.outcomes[unknown] = ACCOUNT_NOT_FOUND;
      this.abort(batch, items, ACCOUNT_NOT_FOUND);
      return;
    }
    const trial = new AtomicTrial(this.table);
    const decisions: AcceptedPosting[] = [];
    let culprit = -1;
    let refusal = none;
    for (const index of items) {
      const decision = this.tryOne(submission, index, trial, turn);
      if (typeof decision === 'number') {
        culprit = index;
        refusal = decision;
        break;
      }
      decisions.push(decision);
    }
    trial.undo();
    if (culprit === -1) {
      for (const [item, index] of items.entries())
        this.postings.accept(this.postings.ordinalOfPosting(batch, index), batch, index, decisions[item] as AcceptedPosting, turn);
      return;
    }
    if (isRecorded(refusal)) {
      for (const index of items)
        this.postings.refuse(
          this.postings.groupFor(this.postings.ordinalOfPosting(batch, index)),
          batch,
          index,
          index === culprit ? refusal : BATCH_ABORTED,
          turn,
        );
      return;
    }
    batch.outcomes[culprit] = refusal;
    this.abort(batch, items, refusal);
    const ordinal = this.postings.ordinalOfPosting(batch, culprit);
    if (ordinal !== -1) noteBalance(batch, culprit, this.table.account(ordinal));
  }

  /** Does one item of an atomic batch for a trial; a number: the outcome that refuses it. */
  private tryOne(submission: PostingSubmission, index: number, trial: AtomicTrial, turn: Turn): AcceptedPosting | number {
    const { batch } = submission;
    const ordinal = this.postings.ordinalOfPosting(batch, index);
    const account = ordinal === -1 ? undefined : this.table.touch(ordinal);
    const valid = account === undefined || account.signingKeyId === '' || submission.signatureValid(index, account.signingKeyId);
    if (valid === undefined) return submission.uncheckedOutcome((account as Account).signingKeyId);
    const decision = decide(account, this.postings.viewOf(batch, index), valid);
    if (!decision.accepted) return outcomeOf(decision.rejection);
    trial.keep(ordinal);
    apply(account as Account, decision, turn.committedAtUs);
    return decision;
  }

  /** None of it is done and none recorded. What may pass when it comes again leaves all of the batch free to come again. */
  private abort(batch: PostingBatch, items: readonly number[], refusal: number): void {
    const outcome = isTransient(refusal) ? refusal : BATCH_REFUSED;
    for (const index of items) {
      if (batch.outcomes[index] !== none) continue;
      batch.outcomes[index] = outcome;
      const ordinal = this.postings.ordinalOfPosting(batch, index);
      noteBalance(batch, index, ordinal === -1 ? undefined : this.table.account(ordinal));
    }
  }
}

/** The second use of a posting in an atomic batch is a repeat of the first. */
function answerAsFirst(batch: PostingBatch, index: number, first: number): void {
  const outcome = batch.outcomes[first] as number;
  batch.outcomes[index] = outcome;
  batch.repeated[index] = isRecorded(outcome) ? 1 : 0;
  batch.balancesAfter[index] = batch.balancesAfter[first] as bigint;
  batch.heldAfter[index] = batch.heldAfter[first] as bigint;
  batch.entryNumbers[index] = batch.entryNumbers[first] as number;
}

/** The first refusal that an atomic batch has before it is tried: of its shape, or of a repeat; 0: none. */
function refusedAlready(batch: PostingBatch): number {
  for (let index = 0; index < batch.count; index += 1) {
    const outcome = batch.outcomes[index] as number;
    if (outcome !== none && outcome !== acceptedOutcome) return outcome;
  }
  return none;
}
