/**
 * Transfers of the accounts of one partition, on the columns of postings: the debits of callers' transfers, the credits that deliveries ask for,
 * and what follows from the targets' verdicts.
 *
 *   caller's batch ─▶ debit ─┬─ target in this partition: its credit in the same commit
 *                            ├─ target elsewhere: the credit's bytes are owed to its partition ─▶ credit there ─▶ verdict here: settled, or refunded
 *                            └─ target of another capability: the same bytes are owed to its aggregate, in whatever partition it is
 *
 * The credits of a batch are made and scanned together, and stay until the turn has written them.
 */
import {
  beginTransit,
  decideRefund,
  decideTransferCredit,
  decideTransferDebit,
  endTransit,
  type Account,
  type AcceptedPosting,
  type Posting,
  type PostingDecision,
  type PostingType,
  type TargetRejection,
} from '@sluice/domain/account';
import type { Booking, CalendarDate } from '@sluice/domain/day';
import type { InternalCommand, InternalVerdict, SettledDelivery, Turn } from '@sluice/engine';
import { MalformedMessageError } from '@sluice/protocol';
import {
  ACCOUNT_ID_AT,
  ACCOUNT_ID_LENGTH,
  accountEvents,
  accountpb,
  businessDateOfLeg,
  capabilityOfTarget,
  creditsOf,
  isToCapability,
  legsOf,
  otherAccountId,
  OUTCOME_NONE,
  refundsOf,
  scanTransferLegs,
  STRIDE,
  transferLeg,
  writeSettlements,
  type LegColumns,
  type PostingBatch,
} from '@sluice/protocol/account';
import type { PartitionBranch } from './days/account-days';
import type { PostingGroup } from './posting-group';
import type { PostingSubmission } from './posting-submission';

export const TRANSFER_LEG = 'TransferLeg';
/** The method of another capability that takes transfers. */
const TAKE_TRANSFER = 'TakeTransfer';

/** What transfers need of the accounts of the partition. */
export interface PartitionAccounts {
  readonly partition: number;
  /** Ordinal of the account; -1: there is none. */
  ordinalOf(bytes: Uint8Array, at: number, length: number): number;
  /** The same, for an id that is hashed already. */
  find(hash: number, bytes: Uint8Array, at: number, length: number): number;
  account(ordinal: number): Account;
  /** Call before the account changes. */
  touch(ordinal: number): Account;
  /** The branch of the account, if it has business dates. */
  branchOf(ordinal: number): PartitionBranch | undefined;
  /** The posting as the domain sees it, as one of the type; good until the next call. */
  viewAs(type: PostingType, batch: PostingBatch, index: number): Posting;
  /** Call before and after what is done with an amount: sums of huge amounts, or of too many, could leave int64, so groups are closed. */
  separateSums(batch: PostingBatch, index: number, turn: Turn): void;
  /**
   * Does the accepted posting and gathers its record.
   * @param booking at which business date it is booked, where its account has dates; undefined: by the date at which it was initiated.
   */
  enter(ordinal: number, batch: PostingBatch, index: number, accepted: AcceptedPosting, turn: Turn, booking?: Booking): PostingGroup;
}

/** The verdicts on transfers of one account in the turn: which credits they are about, and why these were refused (0: they were not; empty: for no reason of another capability). */
interface Settlements {
  readonly accountId: string;
  amountMinor: bigint;
  readonly credits: PostingBatch[];
  readonly indexes: number[];
  readonly rejections: number[];
  readonly targetReasons: string[];
  /** How many of them are of which business date; undefined: the branch of the account has none. */
  dates: Map<CalendarDate, number> | undefined;
}

const TRANSFERS_RECORDED = accountEvents.written('TransfersRecorded');
const TRANSFERS_SETTLED = accountEvents.written('TransfersSettled');
/** Of a target whose partition the deliveries find by its id. */
const PARTITION_OF_TARGET = -1;
const NO_PAYLOAD = new Uint8Array(0);
const ACCEPTED: InternalVerdict = { kind: 'accepted', payload: NO_PAYLOAD };

// Local copies: an import from a library costs a getter at every use, and this is the hot path.
const stride = STRIDE;
const accountIdAt = ACCOUNT_ID_AT;
const accountIdLength = ACCOUNT_ID_LENGTH;
const none = OUTCOME_NONE;
const decideDebit = decideTransferDebit;
const decideCredit = decideTransferCredit;
const begin = beginTransit;
const end = endTransit;
const targetOf = otherAccountId;
const legOf = transferLeg;

export class AccountTransfers {
  /** Credits of the batch that is being decided, and where among them each of its debits has its own. */
  private credits: PostingBatch | undefined;
  private creditAt = new Int32Array(0);
  /** What the turn's records point to. */
  private readonly gathered: PostingBatch[] = [];
  private readonly settlements = new Map<number, Settlements>();
  /** The credit that goes with the debit that was decided last, in the same commit; undefined: it is owed to another partition. */
  private credit: AcceptedPosting | undefined;
  private creditOrdinal = -1;
  private owedBy = { capability: 'account', key: '' };
  /** The target that was read last. */
  private lastBatch: PostingBatch | undefined;
  private lastTargetAt = 0;
  private lastTargetLength = 0;
  private lastTargetId = '';

  constructor(private readonly accounts: PartitionAccounts) {}

  // ---- what callers ask for ----

  /** Call before the debits of the submission are decided. */
  begin(submission: BatchOfSubmission): void {
    const { batch, commandCount } = submission;
    if (this.creditAt.length < batch.count) this.creditAt = new Int32Array(Math.max(batch.count, this.creditAt.length * 2));
    const open: number[] = [];
    for (let position = 0; position < commandCount; position += 1) {
      const index = submission.itemAt(position);
      if (batch.outcomes[index] !== none) continue;
      this.creditAt[index] = open.length;
      open.push(index);
    }
    this.credits = creditsOf(batch, open);
  }

  /** Call when they are decided. */
  end(): void {
    this.lastBatch = undefined;
    if (this.credits !== undefined) this.gathered.push(this.credits);
    this.credits = undefined;
  }

  /** Decides the transfer as a whole, and changes nothing. */
  decide(account: Account | undefined, batch: PostingBatch, index: number, signatureValid: boolean): PostingDecision {
    const { accounts } = this;
    const { otherPartitions, otherAccountHashes, otherAccountAt } = batch.legs as LegColumns;
    const pending = otherPartitions[index] !== accounts.partition || isToCapability(batch, index);
    const debit = decideDebit(account, accounts.viewAs('DEBIT', batch, index), signatureValid, pending);
    this.credit = undefined;
    if (!debit.accepted || pending) return debit;
    const ordinal = accounts.find(
      otherAccountHashes[index] as number,
      batch.bytes,
      otherAccountAt[index * 2] as number,
      otherAccountAt[index * 2 + 1] as number,
    );
    const credit = decideCredit(ordinal === -1 ? undefined : accounts.account(ordinal), accounts.viewAs('CREDIT', batch, index));
    if (!credit.accepted) return credit;
    this.credit = credit;
    this.creditOrdinal = ordinal;
    return debit;
  }

  /**
   * Does what was decided last.
   *
   * @param booking at which business date it is booked at accounts of the branch that is debited; undefined: by the date at which it was initiated.
   */
  accept(ordinal: number, batch: PostingBatch, index: number, debit: AcceptedPosting, turn: Turn, booking?: Booking): void {
    const { accounts, credits, credit } = this;
    if (credits === undefined) throw new Error('a transfer is accepted outside its submission');
    const amountMinor = batch.amounts[index] as bigint;
    const creditAt = this.creditAt[index] as number;
    accounts.separateSums(batch, index, turn);
    const group = accounts.enter(ordinal, batch, index, debit, turn, booking);
    group.markTransfer(credit === undefined, amountMinor);
    const businessDate = group.day?.bookedDate;
    if (credit !== undefined) {
      // Both legs have the date of the debit.
      if (businessDate !== undefined) (legsOf(credits).businessDates ??= [])[creditAt] = businessDate;
      const isOfBranch = booking !== undefined && accounts.branchOf(this.creditOrdinal) === accounts.branchOf(ordinal);
      accounts.enter(this.creditOrdinal, credits, creditAt, credit, turn, isOfBranch ? booking : undefined);
    } else {
      if (businessDate !== undefined) group.day?.branch.countOutgoing(businessDate, 1);
      const { account } = group;
      begin(account, amountMinor);
      const partition = (batch.legs as LegColumns).otherPartitions[index];
      const { accountId } = account;
      if (this.owedBy.key !== accountId) this.owedBy = { capability: 'account', key: accountId };
      turn.owe({
        ...(isToCapability(batch, index)
          ? { capability: capabilityOfTarget(batch, index), method: TAKE_TRANSFER }
          : { capability: 'account', method: TRANSFER_LEG }),
        key: this.targetIdOf(batch, index),
        partition: partition === PARTITION_OF_TARGET ? undefined : partition,
        payload: legOf(credits, creditAt, businessDate),
        owedBy: this.owedBy,
      });
    }
    accounts.separateSums(batch, index, turn);
  }

  /**
   * Does a transfer that the engine makes, whose debit is accepted. Returns why the target refuses it; then nothing is done.
   *
   * @param debit a batch of one.
   * @param before does what stands before the debit.
   */
  acceptEngineMade(
    ordinal: number,
    debit: PostingBatch,
    accepted: AcceptedPosting,
    turn: Turn,
    booking: Booking | undefined,
    before: () => void,
  ): TargetRejection | undefined {
    const { accounts } = this;
    const credits = creditsOf(debit, [0]);
    const creditOrdinal = new OrdinalsByAccount(accounts).ofAccount(credits, 0);
    const credit = creditOrdinal === -1 ? undefined : decideCredit(accounts.account(creditOrdinal), accounts.viewAs('CREDIT', credits, 0));
    if (credit?.accepted === false) {
      for (const batch of [debit, credits]) batch.release();
      return credit.rejection;
    }
    before();
    // An account that is not here is in another partition, or there is none.
    (debit.legs as LegColumns).otherPartitions[0] = PARTITION_OF_TARGET;
    if (this.creditAt.length === 0) this.creditAt = new Int32Array(1);
    this.creditAt[0] = 0;
    this.credits = credits;
    this.credit = credit;
    this.creditOrdinal = creditOrdinal;
    this.accept(ordinal, debit, 0, accepted, turn, booking);
    this.end();
    this.gathered.push(debit);
    return undefined;
  }

  /** Many of a batch have the target of the one before. */
  private targetIdOf(batch: PostingBatch, index: number): string {
    const { otherAccountAt } = batch.legs as LegColumns;
    const at = otherAccountAt[index * 2] as number;
    const length = otherAccountAt[index * 2 + 1] as number;
    if (batch !== this.lastBatch || length !== this.lastTargetLength || !sameBytes(batch.bytes, at, this.lastTargetAt, length)) {
      this.lastBatch = batch;
      this.lastTargetAt = at;
      this.lastTargetLength = length;
      this.lastTargetId = targetOf(batch, index);
    }
    return this.lastTargetId;
  }

  // ---- what deliveries ask for ----

  /**
   * Credits that other partitions owe; ends with the first that is none.
   *
   * @param funds another capability pays them.
   */
  decideCredits(turn: Turn, commands: readonly InternalCommand[], funds = false): InternalVerdict[] {
    let credits: PostingBatch;
    try {
      credits = scanTransferLegs(commands.map(({ payload }) => payload));
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error;
      return commands.length === 1 ? [{ kind: 'undecidable', reason: error.message }] : this.decideOneByOne(turn, commands, funds);
    }
    readDates(credits, commands);
    if (funds) legsOf(credits).funds = commands.map(() => true);
    const ordinals = new OrdinalsByAccount(this.accounts);
    const verdicts: InternalVerdict[] = [];
    for (let index = 0; index < credits.count; index += 1) verdicts.push(this.decideCredit(turn, credits, index, ordinals.ofAccount(credits, index)));
    this.gathered.push(credits);
    return verdicts;
  }

  /** One of them is none. */
  private decideOneByOne(turn: Turn, commands: readonly InternalCommand[], funds: boolean): InternalVerdict[] {
    const verdicts: InternalVerdict[] = [];
    for (const command of commands) {
      verdicts.push(...this.decideCredits(turn, [command], funds));
      if (verdicts.at(-1)?.kind === 'undecidable') break;
    }
    return verdicts;
  }

  private decideCredit(turn: Turn, credits: PostingBatch, index: number, ordinal: number): InternalVerdict {
    const { accounts } = this;
    const decision = decideCredit(ordinal === -1 ? undefined : accounts.account(ordinal), accounts.viewAs('CREDIT', credits, index));
    if (!decision.accepted) return { kind: 'rejected', reason: decision.rejection, payload: NO_PAYLOAD };
    accounts.separateSums(credits, index, turn);
    accounts.enter(ordinal, credits, index, decision, turn);
    accounts.separateSums(credits, index, turn);
    return ACCEPTED;
  }

  // ---- verdicts of the targets ----

  settle(turn: Turn, deliveries: readonly SettledDelivery[]): void {
    const credits = scanTransferLegs(deliveries.map(({ payload }) => payload));
    readDates(credits, deliveries);
    const refused: number[] = [];
    const refusedOrdinals: number[] = [];
    const ordinals = new OrdinalsByAccount(this.accounts);
    let lastOrdinal = -1;
    let account: Account | undefined;
    let settlements: Settlements | undefined;
    for (let index = 0; index < credits.count; index += 1) {
      const { accepted, reason } = deliveries[index] as SettledDelivery;
      const ordinal = ordinals.ofOther(credits, index);
      if (ordinal === -1) throw new Error(`the verdict on a transfer of account ${otherAccountId(credits, index)}, which was never opened`);
      const amountMinor = credits.amounts[index] as bigint;
      // Many of a run are of one account.
      if (ordinal !== lastOrdinal) {
        account = this.accounts.touch(ordinal);
        settlements = this.settlementsOf(ordinal);
        lastOrdinal = ordinal;
      }
      end(account as Account, amountMinor);
      noteSettled(settlements as Settlements, credits, index, amountMinor, accepted ? undefined : reason);
      const businessDate = credits.legs?.businessDates?.[index];
      if (businessDate !== undefined) {
        this.accounts.branchOf(ordinal)?.countOutgoing(businessDate, -1);
        const dates = ((settlements as Settlements).dates ??= new Map<CalendarDate, number>());
        dates.set(businessDate, (dates.get(businessDate) ?? 0) + 1);
      }
      if (accepted) continue;
      refused.push(index);
      refusedOrdinals.push(ordinal);
    }
    if (refused.length > 0) {
      const refunds = refundsOf(credits, refused);
      const dates = credits.legs?.businessDates;
      if (dates !== undefined) {
        legsOf(refunds).businessDates = refused.map((index) => dates[index]);
        legsOf(refunds).funds = refused.map((index) => isToCapability(credits, index));
      }
      this.refund(turn, refunds, refusedOrdinals);
    }
    this.gathered.push(credits);
  }

  private refund(turn: Turn, refunds: PostingBatch, ordinals: readonly number[]): void {
    const { accounts } = this;
    for (const [index, ordinal] of ordinals.entries()) {
      accounts.separateSums(refunds, index, turn);
      accounts.enter(ordinal, refunds, index, decideRefund(accounts.account(ordinal), refunds.amounts[index] as bigint), turn);
      accounts.separateSums(refunds, index, turn);
    }
    this.gathered.push(refunds);
  }

  /** Funds that another capability took are in transit no more. */
  endFunds(ordinal: number, amountMinor: bigint): void {
    end(this.accounts.touch(ordinal), amountMinor);
    this.settlementsOf(ordinal).amountMinor += amountMinor;
  }

  private settlementsOf(ordinal: number): Settlements {
    let settlements = this.settlements.get(ordinal);
    if (settlements === undefined) {
      settlements = {
        accountId: this.accounts.account(ordinal).accountId,
        amountMinor: 0n,
        credits: [],
        indexes: [],
        rejections: [],
        targetReasons: [],
        dates: undefined,
      };
      this.settlements.set(ordinal, settlements);
    }
    return settlements;
  }

  // ---- the commit ----

  /** The turn's records point to it: it is released when they are written. */
  keepUntilWritten(batch: PostingBatch): void {
    this.gathered.push(batch);
  }

  /** Writes the events of transfers, behind the postings of the groups. Nothing points to the gathered batches any more. */
  flush(turn: Turn, groups: readonly PostingGroup[], groupCount: number): void {
    this.writeRecorded(turn, groups, groupCount);
    if (this.settlements.size > 0) this.writeSettled(turn);
    for (const batch of this.gathered) batch.release();
    this.gathered.length = 0;
  }

  private writeSettled(turn: Turn): void {
    const mark = turn.commit.openEvent(TRANSFERS_SETTLED.type, TRANSFERS_SETTLED.version);
    for (const { accountId, amountMinor, credits, indexes, rejections, targetReasons, dates } of this.settlements.values()) {
      writeSettlements(turn.commit.writer, accountId, amountMinor, credits, indexes, rejections, targetReasons, dates);
    }
    turn.commit.closeEvent(mark);
    this.settlements.clear();
  }

  private writeRecorded(turn: Turn, groups: readonly PostingGroup[], groupCount: number): void {
    let mark: ReturnType<Turn['commit']['openEvent']> | undefined;
    for (let at = 0; at < groupCount; at += 1) {
      const group = groups[at] as PostingGroup;
      if (!group.hasTransfers) continue;
      mark ??= turn.commit.openEvent(TRANSFERS_RECORDED.type, TRANSFERS_RECORDED.version);
      group.writeTransfers(turn.commit.writer);
    }
    if (mark !== undefined) turn.commit.closeEvent(mark);
  }
}

/** The business dates that the legs say. */
function readDates(legs: PostingBatch, messages: readonly { readonly payload: Uint8Array }[]): void {
  for (const [index, { payload }] of messages.entries()) {
    const date = businessDateOfLeg(payload);
    if (date !== undefined) (legsOf(legs).businessDates ??= [])[index] = date;
  }
}

/** @param reason why the target refused it; undefined: it did not. */
function noteSettled(settlements: Settlements, credits: PostingBatch, index: number, amountMinor: bigint, reason: string | undefined): void {
  const isOfCapability = reason !== undefined && isToCapability(credits, index);
  settlements.amountMinor += amountMinor;
  settlements.credits.push(credits);
  settlements.indexes.push(index);
  settlements.rejections.push(reason === undefined ? 0 : rejectionOf(reason, isOfCapability));
  settlements.targetReasons.push(isOfCapability ? reason : '');
}

type BatchOfSubmission = Pick<PostingSubmission, 'batch' | 'commandCount' | 'itemAt'>;

/** Finds the accounts of legs. Many of a run are of one account. */
class OrdinalsByAccount {
  private lastBytes: Uint8Array = NO_PAYLOAD;
  private lastAt = 0;
  private lastLength = 0;
  private lastOrdinal = -1;

  constructor(private readonly accounts: PartitionAccounts) {}

  ofAccount(batch: PostingBatch, index: number): number {
    const base = index * stride;
    return this.of(batch.bytes, batch.fields[base + accountIdAt] as number, batch.fields[base + accountIdLength] as number);
  }

  ofOther(batch: PostingBatch, index: number): number {
    const { otherAccountAt } = legsOf(batch);
    return this.of(batch.bytes, otherAccountAt[index * 2] as number, otherAccountAt[index * 2 + 1] as number);
  }

  private of(bytes: Uint8Array, at: number, length: number): number {
    if (length === this.lastLength && this.isLast(bytes, at, length)) return this.lastOrdinal;
    this.lastBytes = bytes;
    this.lastAt = at;
    this.lastLength = length;
    this.lastOrdinal = this.accounts.ordinalOf(bytes, at, length);
    return this.lastOrdinal;
  }

  private isLast(bytes: Uint8Array, at: number, length: number): boolean {
    const { lastBytes, lastAt } = this;
    for (let offset = 0; offset < length; offset += 1) if (bytes[at + offset] !== lastBytes[lastAt + offset]) return false;
    return true;
  }
}

function sameBytes(bytes: Uint8Array, left: number, right: number, length: number): boolean {
  for (let offset = 0; offset < length; offset += 1) if (bytes[left + offset] !== bytes[right + offset]) return false;
  return true;
}

/** Number of a target's reason. Throws for one that no target of this or an older version gives. */
function rejectionOf(reason: string, isOfCapability: boolean): accountpb.Rejection {
  // Reasons of other capabilities are theirs.
  if (isOfCapability) return accountpb.Rejection.REJECTION_TARGET_REFUSED;
  const rejection = accountpb.Rejection[`REJECTION_${reason}` as keyof typeof accountpb.Rejection];
  if (typeof rejection !== 'number') throw new Error(`a target refused a transfer with ${reason}, which this version of Sluice does not know`);
  return rejection;
}
