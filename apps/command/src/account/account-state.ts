/**
 * The accounts of one partition: decides postings and commands in turns, takes events from the log, is snapshotted. The domain decides;
 * this file finds the account, keeps the order of the checks around it and gathers the records.
 */
import {
  applyPosting,
  beginTransit,
  decideAccount,
  decidePosting,
  endTransit,
  evolveAccount,
  evolvePostings,
  holdExpiry,
  UNRECORDED_REJECTIONS,
  type Account,
  type AcceptedPosting,
  type AccountEvent,
  type Posting,
  type PostingType,
  type Rejection,
} from '@sluice/domain/account';
import { MissingKeysError, type AccountKey } from '@sluice/ports';
import {
  keyedHash,
  lastHash,
  requestHash,
  type CapabilityState,
  type InternalCommand,
  type InternalVerdict,
  type PartitionServices,
  type SettledDelivery,
  type SnapshotSession,
  type Turn,
} from '@sluice/engine';
import { type CommitHeader, type EventHandlersOf, type EventRecord } from '@sluice/protocol';
import {
  ACCOUNT_ID_AT,
  ACCOUNT_ID_LENGTH,
  accountEvents,
  EXPIRES_FLAG,
  FINAL_FLAG,
  HOLD_ID_LENGTH_AND_FLAGS,
  holdEndIn,
  isEngineMade,
  OUTCOME_ACCEPTED,
  OUTCOME_NONE,
  postingsRecordedIn,
  REQUEST_ID_AT,
  REQUEST_ID_LENGTH,
  scanRecordedPostings,
  STRIDE,
  transfersRecordedIn,
  transfersSettledIn,
  TYPE,
  UNIT_AT,
  UNIT_LENGTH,
  type PostingBatch,
  type TransfersOfAccount,
} from '@sluice/protocol/account';
import { shared } from './account-record';
import { AccountTable } from './account-table';
import { AccountTransfers, TRANSFER_LEG, type PartitionAccounts } from './account-transfers';
import { AtomicTrial } from './atomic-trial';
import { changeRecord, openedEvent, rejectionRecord, statusChangedEvent, statusToProto, updatedEvent } from './account-events';
import type { CommandSubmission } from './command-submission';
import { changeHoldTimer, EXPIRE_HOLD, expireHold } from './hold-timers';
import { isRecorded, isTransient, outcomeOf, REQUEST_ID_REUSED, SIGNATURE_INVALID, SIGNING_KEY_MISSING, ACCOUNT_NOT_FOUND, BATCH_REFUSED } from './outcomes';
import { GatheredRequests } from './gathered-requests';
import { PostingGroup } from './posting-group';
import type { PostingSubmission } from './posting-submission';
import { hasSameSignature, recordedVerdicts, samePosting, type RecordedVerdict } from './recorded-verdicts';
import type { Signatures } from './signatures';

/** Posting types by their number in the proto. */
const TYPES: readonly (PostingType | undefined)[] = [undefined, 'CREDIT', 'DEBIT', 'HOLD', 'CAPTURE', 'RELEASE'];
const DEBIT = 2;
const CAPTURE = 4;
/** The postings of a turn are written column by column, in this version. */
const POSTINGS_RECORDED = accountEvents.written('PostingsRecorded');
const BATCH_ABORTED = outcomeOf('BATCH_ABORTED');
/**
 * High half of 2^48. A posting of that much stands in a group of its own, and a group is closed at 10,000 accepted postings, so that the sums of
 * what a group adds and takes stay within int64, whatever the size of a turn.
 */
const HUGE_AMOUNT_HIGH = 1 << 16;
const GROUP_POSTINGS = 10_000;
/** Accounts whose key ids are looked for in one round of the event loop, and asked of the keyring together. */
const KEYS_PER_ROUND = 4_096;

// Local copies: an import from a library costs a getter at every use, and this is the hot path.
const stride = STRIDE;
const typeColumn = TYPE;
const unitAt = UNIT_AT;
const unitLength = UNIT_LENGTH;
const accountIdAt = ACCOUNT_ID_AT;
const accountIdLength = ACCOUNT_ID_LENGTH;
const flagsColumn = HOLD_ID_LENGTH_AND_FLAGS;
const finalFlag = FINAL_FLAG;
const expiresFlag = EXPIRES_FLAG;
const acceptedOutcome = OUTCOME_ACCEPTED;
const none = OUTCOME_NONE;
const decide = decidePosting;
const apply = applyPosting;

/** What the domain sees of a posting; strings are made only when they are read. */
class PostingView implements Posting {
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

export class AccountState implements CapabilityState, PartitionAccounts {
  private readonly table: AccountTable;
  private readonly gathered = new GatheredRequests();
  private readonly groups: PostingGroup[] = [];
  private groupCount = 0;
  /** A group of the turn has as many postings as it may have: the groups are closed before the next one. */
  private groupIsFull = false;
  /** Group of an account in the turn that is being decided, + 1; by ordinal. */
  private groupOf = new Int32Array(1024);
  /** Keys that the turn's events name. */
  private keysOfTurn: { readonly turn: Turn; readonly keys: Map<string, AccountKey> } | undefined;
  private readonly view = new PostingView();
  private lastUnit = '';
  private lastUnitBytes = new Uint8Array(0);
  private readonly transfers = new AccountTransfers(this);

  constructor(
    private readonly services: PartitionServices,
    readonly signatures: Signatures,
    readonly trouble: (what: string, error: unknown) => void,
  ) {
    this.table = new AccountTable(services.seeds);
  }

  get partition(): number {
    return this.services.partition;
  }

  get accountCount(): number {
    return this.table.size;
  }

  // ---- postings ----

  decidePostings(turn: Turn, submission: PostingSubmission): void {
    turn.gather(this);
    this.view.committedAtUs = turn.committedAtUs;
    if (submission.batch.atomic) this.decideAtomic(turn, submission);
    else if (submission.batch.legs !== undefined) this.decideTransfers(turn, submission);
    else for (let position = 0; position < submission.commandCount; position += 1) this.decideOne(turn, submission, submission.itemAt(position));
  }

  private decideTransfers(turn: Turn, submission: PostingSubmission): void {
    this.transfers.begin(submission);
    for (let position = 0; position < submission.commandCount; position += 1) this.decideOne(turn, submission, submission.itemAt(position));
    this.transfers.end();
  }

  private decideOne(turn: Turn, submission: PostingSubmission, index: number): void {
    const { batch } = submission;
    if (batch.outcomes[index] !== none || this.setAside(submission, index)) return;
    const ordinal = this.ordinalOfPosting(batch, index);
    const account = ordinal === -1 ? undefined : this.table.account(ordinal);
    const valid = account === undefined || account.signingKeyId === '' || submission.signatureValid(index, account.signingKeyId);
    if (valid === undefined) {
      batch.outcomes[index] = submission.uncheckedOutcome((account as Account).signingKeyId);
      return;
    }
    if (batch.legs !== undefined) {
      const decision = this.transfers.decide(account, batch, index, valid);
      if (!decision.accepted) this.reject(ordinal, batch, index, decision.rejection, turn);
      else {
        this.transfers.accept(ordinal, batch, index, decision, turn);
        this.remember(batch, index, turn);
      }
      return;
    }
    const decision = decide(account, this.viewOf(batch, index), valid);
    if (decision.accepted) this.accept(ordinal, batch, index, decision, turn);
    else this.reject(ordinal, batch, index, decision.rejection, turn);
  }

  private reject(ordinal: number, batch: PostingBatch, index: number, rejection: Rejection, turn: Turn): void {
    if (UNRECORDED_REJECTIONS.has(rejection)) {
      batch.outcomes[index] = outcomeOf(rejection);
      noteBalance(batch, index, ordinal === -1 ? undefined : this.table.account(ordinal));
    } else {
      this.refuse(this.groupFor(ordinal), batch, index, outcomeOf(rejection), turn);
    }
  }

  private accept(ordinal: number, batch: PostingBatch, index: number, accepted: AcceptedPosting, turn: Turn): void {
    this.separateSums(batch, index, turn);
    this.enter(ordinal, batch, index, accepted, turn);
    this.remember(batch, index, turn);
    this.separateSums(batch, index, turn);
  }

  separateSums(batch: PostingBatch, index: number, turn: Turn): void {
    if (this.groupIsFull || (batch.amountHalves[index * 2 + 1] as number) >= HUGE_AMOUNT_HIGH) this.writeGathered(turn);
  }

  enter(ordinal: number, batch: PostingBatch, index: number, accepted: AcceptedPosting, turn: Turn): PostingGroup {
    const group = this.groupFor(ordinal);
    const { account } = group;
    const type = batch.fields[index * stride + typeColumn] as number;
    if (type === DEBIT || type === CAPTURE) group.totalDebit += account.balanceMinor - accepted.balanceAfterMinor;
    if (accepted.holdId !== undefined) {
      group.changedHolds.set(accepted.holdId, accepted.holdRemainingMinor ?? 0n);
      changeHoldTimer(turn, account, accepted);
    }
    apply(account, accepted, turn.committedAtUs);
    batch.outcomes[index] = acceptedOutcome;
    batch.balancesAfter[index] = accepted.balanceAfterMinor;
    batch.heldAfter[index] = accepted.heldAfterMinor;
    batch.entryNumbers[index] = account.entryCount;
    group.accepted += 1;
    if (group.accepted >= GROUP_POSTINGS) this.groupIsFull = true;
    group.add(batch, index);
    return group;
  }

  /** What is gathered goes into the commit; what follows in the turn is gathered anew. */
  private writeGathered(turn: Turn): void {
    turn.flush();
    turn.gather(this);
  }

  private refuse(group: PostingGroup, batch: PostingBatch, index: number, outcome: number, turn: Turn): void {
    group.account.rejectionCount += 1;
    batch.outcomes[index] = outcome;
    noteBalance(batch, index, group.account);
    group.rejected += 1;
    group.add(batch, index);
    this.remember(batch, index, turn);
  }

  private remember(batch: PostingBatch, index: number, turn: Turn): void {
    this.services.index.add(batch.requestHashes[index * 2] as number, batch.requestHashes[index * 2 + 1] as number, turn.sequence);
  }

  private setAside(submission: PostingSubmission, index: number): boolean {
    const { requestHashes } = submission.batch;
    return submission.setAside(index, requestHashes[index * 2] as number, requestHashes[index * 2 + 1] as number);
  }

  /**
   * All or none. Repeats are answered first, from their commits, and the batch comes again for the rest. It is tried on the accounts
   * themselves and taken back where an item is refused.
   */
  private decideAtomic(turn: Turn, submission: PostingSubmission): void {
    const { batch } = submission;
    const items: number[] = [];
    for (let position = 0; position < submission.commandCount; position += 1) {
      const index = submission.itemAt(position);
      if (batch.outcomes[index] === none) items.push(index);
    }
    for (const index of items) this.setAside(submission, index);
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
    const keyId = this.signingKeyOf(batch, index);
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
    const unknown = items.find((index) => this.ordinalOfPosting(batch, index) === -1);
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
      for (const [item, index] of items.entries()) this.accept(this.ordinalOfPosting(batch, index), batch, index, decisions[item] as AcceptedPosting, turn);
      return;
    }
    if (isRecorded(refusal)) {
      for (const index of items)
        this.refuse(this.groupFor(this.ordinalOfPosting(batch, index)), batch, index, index === culprit ? refusal : BATCH_ABORTED, turn);
      return;
    }
    batch.outcomes[culprit] = refusal;
    this.abort(batch, items, refusal);
    const ordinal = this.ordinalOfPosting(batch, culprit);
    if (ordinal !== -1) noteBalance(batch, culprit, this.table.account(ordinal));
  }

  /** Does one item of an atomic batch for a trial; a number: the outcome that refuses it. */
  private tryOne(submission: PostingSubmission, index: number, trial: AtomicTrial, turn: Turn): AcceptedPosting | number {
    const { batch } = submission;
    const ordinal = this.ordinalOfPosting(batch, index);
    const account = ordinal === -1 ? undefined : this.table.touch(ordinal);
    const valid = account === undefined || account.signingKeyId === '' || submission.signatureValid(index, account.signingKeyId);
    if (valid === undefined) return submission.uncheckedOutcome((account as Account).signingKeyId);
    const decision = decide(account, this.viewOf(batch, index), valid);
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
      const ordinal = this.ordinalOfPosting(batch, index);
      noteBalance(batch, index, ordinal === -1 ? undefined : this.table.account(ordinal));
    }
  }

  find(hash: number, bytes: Uint8Array, at: number, length: number): number {
    return this.table.find(hash, bytes, at, length);
  }

  ordinalOf(bytes: Uint8Array, at: number, length: number): number {
    return this.table.ordinalOf(bytes, at, length);
  }

  account(ordinal: number): Account {
    return this.table.account(ordinal);
  }

  touch(ordinal: number): Account {
    return this.table.touch(ordinal);
  }

  private ordinalOfPosting(batch: PostingBatch, index: number): number {
    const base = index * stride;
    return this.table.find(
      batch.accountHashes[index] as number,
      batch.bytes,
      batch.fields[base + accountIdAt] as number,
      batch.fields[base + accountIdLength] as number,
    );
  }

  /** Whether the signature verifies under the key; undefined: the key is not in memory. The turn may name the key itself. */
  verifyNow(batch: PostingBatch, index: number, signingKeyId: string): boolean | undefined {
    return this.signatures.verifyNow(batch, index, signingKeyId, this.keysOfTurn?.keys.get(signingKeyId)?.key);
  }

  /** Id of the key in force for the posting's account; '' where it is not signed. */
  signingKeyOf(batch: PostingBatch, index: number): string {
    const ordinal = this.ordinalOfPosting(batch, index);
    return ordinal === -1 ? '' : this.table.account(ordinal).signingKeyId;
  }

  private viewOf(batch: PostingBatch, index: number): PostingView {
    return this.viewAs(TYPES[batch.fields[index * stride + typeColumn] as number] as PostingType, batch, index);
  }

  viewAs(type: PostingType, batch: PostingBatch, index: number): PostingView {
    const { view } = this;
    const base = index * stride;
    const { fields } = batch;
    view.batch = batch;
    view.index = index;
    view.type = type;
    view.amountMinor = batch.amounts[index] as bigint;
    view.unit = this.unitOf(batch.bytes, fields[base + unitAt] as number, fields[base + unitLength] as number);
    view.final = ((fields[base + flagsColumn] as number) & finalFlag) !== 0;
    return view;
  }

  /** Most postings have the unit of the one before. */
  private unitOf(bytes: Uint8Array, at: number, length: number): string {
    const last = this.lastUnitBytes;
    let same = last.length === length;
    for (let index = 0; same && index < length; index += 1) same = last[index] === bytes[at + index];
    if (!same) {
      this.lastUnitBytes = Uint8Array.prototype.slice.call(bytes, at, at + length);
      this.lastUnit = shared(Buffer.from(this.lastUnitBytes).toString('utf8'));
    }
    return this.lastUnit;
  }

  private groupFor(ordinal: number): PostingGroup {
    if (ordinal >= this.groupOf.length) {
      const grown = new Int32Array(Math.max(this.groupOf.length * 2, ordinal + 1));
      grown.set(this.groupOf);
      this.groupOf = grown;
    }
    const known = this.groupOf[ordinal] as number;
    if (known !== 0) return this.groups[known - 1] as PostingGroup;
    let group = this.groups[this.groupCount];
    if (group === undefined) {
      group = new PostingGroup(this.gathered);
      this.groups.push(group);
    }
    this.groupCount += 1;
    this.groupOf[ordinal] = this.groupCount;
    group.begin(ordinal, this.table.touch(ordinal));
    return group;
  }

  flush(turn: Turn): void {
    if (this.groupCount > 0) this.writePostings(turn);
    this.transfers.flush(turn, this.groups, this.groupCount);
    this.gathered.clear();
    this.groupIsFull = false;
    this.groupCount = 0;
  }

  private writePostings(turn: Turn): void {
    const mark = turn.commit.openEvent(POSTINGS_RECORDED.type, POSTINGS_RECORDED.version);
    for (let at = 0; at < this.groupCount; at += 1) {
      const group = this.groups[at] as PostingGroup;
      group.write(turn.commit.writer);
      this.groupOf[group.ordinal] = 0;
    }
    turn.commit.closeEvent(mark);
  }

  // ---- what deliveries and timers ask for ----

  decideInternal(turn: Turn, commands: readonly InternalCommand[]): InternalVerdict[] {
    turn.gather(this);
    this.view.committedAtUs = turn.committedAtUs;
    const verdicts: InternalVerdict[] = [];
    for (let from = 0; from < commands.length; ) {
      const { method } = commands[from] as InternalCommand;
      let to = from + 1;
      while (to < commands.length && commands[to]?.method === method) to += 1;
      for (const verdict of this.decideRun(turn, method, commands.slice(from, to))) verdicts.push(verdict);
      // Nothing behind a command that cannot be decided is.
      if (verdicts.at(-1)?.kind === 'undecidable') break;
      from = to;
    }
    return verdicts;
  }

  private decideRun(turn: Turn, method: string, run: readonly InternalCommand[]): InternalVerdict[] {
    switch (method) {
      case TRANSFER_LEG:
        return this.transfers.decideCredits(turn, run);
      case EXPIRE_HOLD:
        return this.expireHolds(turn, run);
      default:
        return [{ kind: 'undecidable', reason: `this version of Sluice has no method ${method} of accounts` }];
    }
  }

  private expireHolds(turn: Turn, run: readonly InternalCommand[]): InternalVerdict[] {
    const verdicts: InternalVerdict[] = [];
    for (const command of run) {
      const verdict = expireHold(this, turn, command, (batch) => this.transfers.keepUntilWritten(batch));
      verdicts.push(verdict);
      if (verdict.kind === 'undecidable') break;
    }
    return verdicts;
  }

  settled(turn: Turn, deliveries: readonly SettledDelivery[]): void {
    turn.gather(this);
    this.transfers.settle(turn, deliveries);
  }

  // ---- repeats ----

  /** Answers the posting from the commit if it is there; false: the commit does not hold it. */
  async answerRepeat(batch: PostingBatch, index: number, sequence: number): Promise<boolean> {
    const verdict = await this.verdictIn(sequence, batch.accountId(index), batch.requestId(index));
    if (verdict === undefined) return false;
    const body = batch.body(index);
    if (verdict.kind !== 'posting' || !samePosting(verdict.body, body)) {
      batch.outcomes[index] = REQUEST_ID_REUSED;
      return true;
    }
    if (verdict.isSigned && Buffer.compare(verdict.body, body) !== 0 && !hasSameSignature(verdict.body, body)) {
      const signingKeyId = this.signingKeyOf(batch, index);
      const valid = signingKeyId === '' || (await this.signatures.verify(batch, index, signingKeyId));
      if (valid !== true) {
        batch.outcomes[index] = valid === undefined ? SIGNING_KEY_MISSING : SIGNATURE_INVALID;
        return true;
      }
    }
    batch.outcomes[index] = verdict.outcome;
    batch.repeated[index] = 1;
    batch.balancesAfter[index] = verdict.balanceAfterMinor;
    batch.heldAfter[index] = verdict.heldAfterMinor;
    batch.entryNumbers[index] = verdict.entryNumber;
    return true;
  }

  verdictIn(sequence: number, accountId: string, requestId: string): Promise<RecordedVerdict | undefined> {
    return this.services.commitSearch.find(recordedVerdicts, sequence, accountId, requestId);
  }

  // ---- commands ----

  decideCommands(turn: Turn, submission: CommandSubmission): void {
    for (let position = 0; position < submission.commandCount; position += 1) this.decideCommand(turn, submission, submission.itemAt(position));
  }

  private decideCommand(turn: Turn, submission: CommandSubmission, position: number): void {
    const item = submission.item(position);
    const { index } = this.services;
    if (item.outcome !== OUTCOME_NONE || submission.setAside(position, item.hashFirst, item.hashSecond)) return;
    const ordinal = this.table.find(item.accountHash, item.accountIdBytes, 0, item.accountIdBytes.length);
    const before = ordinal === -1 ? undefined : this.table.account(ordinal);
    const decision = decideAccount(before, item.command);
    if (!decision.accepted) {
      item.outcome = outcomeOf(decision.rejection);
      if (UNRECORDED_REJECTIONS.has(decision.rejection)) return;
      record(turn, rejectionRecord(item, item.outcome));
      index.add(item.hashFirst, item.hashSecond, turn.sequence);
      return;
    }
    // What was gathered for the account goes into the commit before the change.
    turn.flush();
    const account = evolveAccount(ordinal === -1 ? undefined : this.table.touch(ordinal), decision.event, turn.committedAtUs);
    if (ordinal === -1) this.table.add(account);
    item.answer = {
      balanceMinor: account.balanceMinor,
      heldMinor: account.heldMinor,
      status: statusToProto(account.status),
      version: account.version,
      signingKeyId: account.signingKeyId,
    };
    item.outcome = OUTCOME_ACCEPTED;
    if (item.signingKey !== undefined) this.storeBeforeAppend(item.signingKey, turn);
    record(turn, changeRecord(decision.event, item, account));
    index.add(item.hashFirst, item.hashSecond, turn.sequence);
  }

  /** A key is durable before the event that names it, and only where there is such an event. All keys of a turn are stored together. */
  private storeBeforeAppend(key: AccountKey, turn: Turn): void {
    if (this.keysOfTurn?.turn !== turn) {
      const keys = new Map<string, AccountKey>();
      this.keysOfTurn = { turn, keys };
      turn.beforeAppend(() => {
        this.keysOfTurn = undefined;
        return this.signatures.store([...keys.values()]);
      });
    }
    this.keysOfTurn.keys.set(key.keyId, key);
  }

  // ---- the log ----

  replay(event: EventRecord, commit: CommitHeader): Iterable<number> | undefined {
    return accountEvents.read(event, commit, this.replaying, commit);
  }

  private readonly replaying: EventHandlersOf<typeof accountEvents, CommitHeader, Iterable<number> | undefined> = {
    PostingsRecorded: (payload, commit) => this.replayPostings(payload, commit),
    AccountOpened: (opened, commit) => this.evolve(opened, openedEvent(opened), commit),
    AccountUpdated: (updated, commit) => this.evolve(updated, updatedEvent(updated), commit),
    AccountStatusChanged: (changed, commit) => this.evolve(changed, statusChangedEvent(changed), commit),
    AccountCommandRejected: (rejected, commit) => this.replayRejection(rejected, commit),
    TransfersRecorded: (payload) => this.replayTransfers(transfersRecordedIn(payload), beginTransit),
    TransfersSettled: (payload) => this.replayTransfers(transfersSettledIn(payload), endTransit),
  };

  /** Account by account, as postings are. */
  private *replayTransfers(accounts: Iterable<TransfersOfAccount>, change: (account: Account, amountMinor: bigint) => void): Generator<number> {
    for (const { accountId, amountMinor, bytes } of accounts) {
      const id = Buffer.from(accountId, 'utf8');
      const ordinal = this.table.ordinalOf(id, 0, id.length);
      if (ordinal === -1) throw new Error(`transfers of account ${accountId}, which was never opened`);
      if (amountMinor !== 0n) change(this.table.touch(ordinal), amountMinor);
      yield bytes.length;
    }
  }

  private replayRejection({ accountId, requestId }: RecordedRequest, commit: CommitHeader): undefined {
    const id = Buffer.from(accountId, 'utf8');
    if (this.table.ordinalOf(id, 0, id.length) === -1) {
      throw new Error(`a command on account ${accountId}, which was never opened`);
    }
    this.rememberRequest(id, Buffer.from(requestId, 'utf8'), commit.sequence);
  }

  /** Account by account: ten thousand of them would block the event loop. */
  private *replayPostings(payload: Uint8Array, commit: CommitHeader): Generator<number> {
    for (const { postings, bytes } of postingsRecordedIn(payload)) {
      const id = Buffer.from(postings.accountId, 'utf8');
      const hash = keyedHash(this.services.seeds, id, 0, id.length);
      const ordinal = this.table.find(hash, id, 0, id.length);
      if (ordinal === -1) throw new Error(`postings of account ${postings.accountId}, which was never opened`);
      evolvePostings(this.table.touch(ordinal), postings, commit.committedAtUs);
      const batch = scanRecordedPostings(postings.requests);
      for (let index = 0; index < batch.count; index += 1) {
        const base = index * STRIDE;
        if (isEngineMade(batch.fields[base + HOLD_ID_LENGTH_AND_FLAGS] as number, batch.fields[base + TYPE] as number)) continue;
        const at = batch.fields[base + REQUEST_ID_AT] as number;
        requestHash(this.services.seeds, hash, batch.bytes, at, at + (batch.fields[base + REQUEST_ID_LENGTH] as number));
        this.services.index.add(lastHash.first, lastHash.second, commit.sequence);
      }
      batch.release();
      yield bytes.length;
    }
  }

  private evolve({ accountId, requestId }: RecordedRequest, event: AccountEvent, commit: CommitHeader): undefined {
    const id = Buffer.from(accountId, 'utf8');
    const ordinal = this.table.ordinalOf(id, 0, id.length);
    const account = evolveAccount(ordinal === -1 ? undefined : this.table.touch(ordinal), event, commit.committedAtUs);
    if (ordinal === -1) this.table.add(account);
    this.rememberRequest(id, Buffer.from(requestId, 'utf8'), commit.sequence);
  }

  private rememberRequest(accountId: Uint8Array, requestId: Uint8Array, sequence: number): void {
    requestHash(this.services.seeds, keyedHash(this.services.seeds, accountId, 0, accountId.length), requestId, 0, requestId.length);
    this.services.index.add(lastHash.first, lastHash.second, sequence);
  }

  async assertKeysPresent(): Promise<void> {
    let missing = 0;
    for (let from = 0; from < this.table.size; from += KEYS_PER_ROUND) {
      if (from > 0) await new Promise<void>((resolve) => setImmediate(resolve));
      missing += await this.signatures.countMissing(this.table.signingKeyIds(from, Math.min(from + KEYS_PER_ROUND, this.table.size)));
    }
    if (missing === 0) return;
    const error = new MissingKeysError(missing, [this.partition]);
    if (this.signatures.missingKeys === 'refuse') throw error;
    this.trouble('signed postings of some accounts are refused with SIGNING_KEY_MISSING until they have new keys', error);
  }

  // ---- snapshots ----

  beginSnapshot(): SnapshotSession {
    return this.table.beginSnapshot();
  }

  restore(block: Uint8Array, version: number): void {
    this.table.restore(block, version);
  }
}

/** What every event of a command names. */
interface RecordedRequest {
  readonly accountId: string;
  readonly requestId: string;
}

function record(turn: Turn, { type, version, payload }: EventRecord): void {
  turn.event(type, version, payload);
}

/** The columns are used again by other batches: whatever is answered has to be written. */
function noteBalance(batch: PostingBatch, index: number, account: Account | undefined): void {
  batch.balancesAfter[index] = account?.balanceMinor ?? 0n;
  batch.heldAfter[index] = account?.heldMinor ?? 0n;
  batch.entryNumbers[index] = 0;
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
