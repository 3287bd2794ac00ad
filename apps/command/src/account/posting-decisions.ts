/**
 * Decides the postings of a partition in turns. The domain decides; this file finds the account, keeps the order of the checks around it and
 * gathers the records.
 */
import {
  applyPosting,
  decidePosting,
  UNRECORDED_REJECTIONS,
  type Account,
  type AcceptedPosting,
  type PostingType,
  type Rejection,
} from '@sluice/domain/account';
import { bookingOf, bookingOfCaller, bookingOfLeg, type Booking, type BranchDay } from '@sluice/domain/day';
import type { PartitionServices, Turn } from '@sluice/engine';
import {
  ACCOUNT_ID_AT,
  ACCOUNT_ID_LENGTH,
  accountEvents,
  FINAL_FLAG,
  HOLD_ID_LENGTH_AND_FLAGS,
  INITIATED_DATE_FLAG,
  initiatedDateIn,
  OUTCOME_ACCEPTED,
  OUTCOME_NONE,
  STRIDE,
  TYPE,
  UNIT_AT,
  UNIT_LENGTH,
  type PostingBatch,
} from '@sluice/protocol/account';
import { shared } from './account-record';
import type { AccountTable } from './account-table';
import { AccountTransfers, type PartitionAccounts } from './account-transfers';
import { GatheredRequests } from './gathered-requests';
import type { AccountDays, PartitionBranch } from './days/account-days';
import { GroupDay } from './days/group-day';
import { changeHoldTimer } from './hold-timers';
import { outcomeOf } from './outcomes';
import { PostingGroup } from './posting-group';
import type { PostingSubmission } from './posting-submission';
import { PostingView } from './posting-view';

/** Posting types by their number in the proto. */
const TYPES: readonly (PostingType | undefined)[] = [undefined, 'CREDIT', 'DEBIT', 'HOLD', 'CAPTURE', 'RELEASE'];
const DEBIT = 2;
const CAPTURE = 4;
/** The postings of a turn are written column by column, in this version. */
const POSTINGS_RECORDED = accountEvents.written('PostingsRecorded');
/**
 * High half of 2^48. A posting of that much stands in a group of its own, and a group is closed at 10,000 accepted postings, so that the sums of
 * what a group adds and takes stay within int64, whatever the size of a turn.
 */
const HUGE_AMOUNT_HIGH = 1 << 16;
const GROUP_POSTINGS = 10_000;

// Local copies: an import from a library costs a getter at every use, and this is the hot path.
const stride = STRIDE;
const typeColumn = TYPE;
const unitAt = UNIT_AT;
const unitLength = UNIT_LENGTH;
const accountIdAt = ACCOUNT_ID_AT;
const accountIdLength = ACCOUNT_ID_LENGTH;
const flagsColumn = HOLD_ID_LENGTH_AND_FLAGS;
const finalFlag = FINAL_FLAG;
const acceptedOutcome = OUTCOME_ACCEPTED;
const none = OUTCOME_NONE;
const decide = decidePosting;
const apply = applyPosting;
export class PostingDecisions implements PartitionAccounts {
  readonly transfers = new AccountTransfers(this);
  private readonly gathered = new GatheredRequests();
  private readonly groups: PostingGroup[] = [];
  private groupCount = 0;
  /** Of groups of accounts whose branch has business dates; used again in the next turn. */
  private readonly groupDays: GroupDay[] = [];
  private groupDayCount = 0;
  /** A group of the turn has as many postings as it may have: the groups are closed before the next one. */
  private groupIsFull = false;
  /** Group of an account in the turn that is being decided, + 1; by ordinal. */
  private groupOf = new Int32Array(1024);
  private readonly view = new PostingView();
  private lastUnit = '';
  private lastUnitBytes = new Uint8Array(0);

  constructor(
    private readonly services: PartitionServices,
    private readonly table: AccountTable,
    private readonly days: AccountDays,
  ) {}

  get partition(): number {
    return this.services.partition;
  }

  /** Call before postings are decided in a turn. */
  begin(turn: Turn): void {
    turn.gather(this);
    this.view.committedAtUs = turn.committedAtUs;
  }

  /** Decides those of the submission that are not atomic. */
  decide(turn: Turn, submission: PostingSubmission): void {
    if (submission.batch.legs !== undefined) this.decideTransfers(turn, submission);
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

  accept(ordinal: number, batch: PostingBatch, index: number, accepted: AcceptedPosting, turn: Turn): void {
    this.separateSums(batch, index, turn);
    this.enter(ordinal, batch, index, accepted, turn);
    this.remember(batch, index, turn);
    this.separateSums(batch, index, turn);
  }

  separateSums(batch: PostingBatch, index: number, turn: Turn): void {
    if (this.groupIsFull || (batch.amountHalves[index * 2 + 1] as number) >= HUGE_AMOUNT_HIGH) this.writeGathered(turn);
  }

  enter(ordinal: number, batch: PostingBatch, index: number, accepted: AcceptedPosting, turn: Turn, booking?: Booking): PostingGroup {
    const group = this.days.hasDates ? this.datedGroupFor(ordinal, batch, index, turn, booking) : this.groupFor(ordinal);
    const { account } = group;
    group.day?.add(
      batch.fields[index * stride + flagsColumn] as number,
      batch.legs?.funds?.[index] === true,
      accepted.balanceAfterMinor - account.balanceMinor,
    );
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
    if (group.accepted >= GROUP_POSTINGS || group.day?.endsWithFirst === true) this.groupIsFull = true;
    group.add(batch, index);
    return group;
  }

  /** A group has one business date: where the posting has another one, what is gathered is written first. */
  private datedGroupFor(ordinal: number, batch: PostingBatch, index: number, turn: Turn, booking: Booking | undefined): PostingGroup {
    let group = this.groupFor(ordinal);
    if (group.day === undefined) return group;
    const booked = booking ?? bookingIn(group.day.branch, batch, index);
    if (!group.day.takes(booked)) {
      if (!group.isEmpty) {
        this.writeGathered(turn);
        group = this.groupFor(ordinal);
      }
      (group.day as GroupDay).rebook(booked);
    }
    return group;
  }

  /** The day of a new group. */
  private dayOf(ordinal: number, branch: PartitionBranch | undefined): GroupDay | undefined {
    if (branch === undefined) return undefined;
    let day = this.groupDays[this.groupDayCount];
    if (day === undefined) {
      day = new GroupDay(this.days);
      this.groupDays.push(day);
    }
    this.groupDayCount += 1;
    day.begin(ordinal, branch, bookingOf(branch));
    return day;
  }

  /** What is gathered goes into the commit; what follows in the turn is gathered anew. */
  private writeGathered(turn: Turn): void {
    turn.flush();
    turn.gather(this);
  }

  refuse(group: PostingGroup, batch: PostingBatch, index: number, outcome: number, turn: Turn): void {
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

  setAside(submission: PostingSubmission, index: number): boolean {
    const { requestHashes } = submission.batch;
    return submission.setAside(index, requestHashes[index * 2] as number, requestHashes[index * 2 + 1] as number);
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

  branchOf(ordinal: number): PartitionBranch | undefined {
    return this.days.branchOf(ordinal);
  }

  ordinalOfPosting(batch: PostingBatch, index: number): number {
    const base = index * stride;
    return this.table.find(
      batch.accountHashes[index] as number,
      batch.bytes,
      batch.fields[base + accountIdAt] as number,
      batch.fields[base + accountIdLength] as number,
    );
  }

  /** Id of the key in force for the posting's account; '' where it is not signed. */
  signingKeyOf(batch: PostingBatch, index: number): string {
    const ordinal = this.ordinalOfPosting(batch, index);
    return ordinal === -1 ? '' : this.table.account(ordinal).signingKeyId;
  }

  viewOf(batch: PostingBatch, index: number): PostingView {
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

  groupFor(ordinal: number): PostingGroup {
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
    group.begin(ordinal, this.table.touch(ordinal), this.dayOf(ordinal, this.days.branchOf(ordinal)));
    return group;
  }

  flush(turn: Turn): void {
    if (this.groupCount > 0) this.writePostings(turn);
    this.transfers.flush(turn, this.groups, this.groupCount);
    this.gathered.clear();
    this.groupIsFull = false;
    this.groupCount = 0;
    this.groupDayCount = 0;
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
}

/** The leg of a transfer goes by the date of its debit, another posting by what its caller says. */
function bookingIn(branch: BranchDay, batch: PostingBatch, index: number): Booking {
  const ofDebit = batch.legs?.businessDates?.[index];
  if (ofDebit !== undefined) return bookingOfLeg(branch, ofDebit);
  const says = ((batch.fields[index * stride + flagsColumn] as number) & INITIATED_DATE_FLAG) !== 0;
  const initiated = says ? initiatedDateIn(batch.body(index)) : undefined;
  return initiated === undefined ? bookingOf(branch) : bookingOfCaller(branch, initiated);
}

/** The columns are used again by other batches: whatever is answered has to be written. */
export function noteBalance(batch: PostingBatch, index: number, account: Account | undefined): void {
  batch.balancesAfter[index] = account?.balanceMinor ?? 0n;
  batch.heldAfter[index] = account?.heldMinor ?? 0n;
  batch.entryNumbers[index] = 0;
}
