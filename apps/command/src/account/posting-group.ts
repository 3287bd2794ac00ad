/**
 * The postings of one account in one turn: one balance update, one record per request, written in columns. Requests that lie side by
 * side in a caller's message are copied in one piece.
 */
import type { Account } from '@sluice/domain/account';
import { type ByteWriter } from '@sluice/protocol';
import {
  ACCOUNT_ID_AT,
  ACCOUNT_ID_LENGTH,
  END,
  legsOf,
  OUTCOME_ACCEPTED,
  REQUEST_ID_AT,
  REQUEST_ID_LENGTH,
  START,
  STRIDE,
  type PostingBatch,
  writePendingDate,
} from '@sluice/protocol/account';
import type { GroupDay } from './days/group-day';
import { NO_REQUEST, type GatheredRequests } from './gathered-requests';

// Local copies: an import from a library costs a getter at every use, and this is the hot path.
const stride = STRIDE;
const startColumn = START;
const endColumn = END;
const accountIdAt = ACCOUNT_ID_AT;
const accountIdLength = ACCOUNT_ID_LENGTH;
const requestIdAt = REQUEST_ID_AT;
const requestIdLength = REQUEST_ID_LENGTH;
const acceptedOutcome = OUTCOME_ACCEPTED;
const noRequest = NO_REQUEST;

export class PostingGroup {
  account!: Account;
  ordinal = 0;
  private balanceBefore = 0n;
  private heldBefore = 0n;
  private entriesBefore = 0;
  accepted = 0;
  rejected = 0;
  /** What accepted postings took from the balance. */
  totalDebit = 0n;
  /** Holds that changed in the turn, with what is left. */
  readonly changedHolds = new Map<string, bigint>();
  /** The requests, among those of the turn. */
  private first = noRequest;
  private last = noRequest;
  private count = 0;
  /** Which of the requests are debits of transfers that were accepted, and which of these owe their credit. */
  private readonly transfers: number[] = [];
  private readonly pending: boolean[] = [];
  private pendingMinor = 0n;
  /** Undefined: the branch of the account has no business dates. */
  day: GroupDay | undefined;

  constructor(private readonly gathered: GatheredRequests) {}

  begin(ordinal: number, account: Account, day: GroupDay | undefined): void {
    this.account = account;
    this.day = day;
    this.ordinal = ordinal;
    this.balanceBefore = account.balanceMinor;
    this.heldBefore = account.heldMinor;
    this.entriesBefore = account.entryCount;
    this.accepted = 0;
    this.rejected = 0;
    this.totalDebit = 0n;
    if (this.changedHolds.size > 0) this.changedHolds.clear();
    this.first = noRequest;
    this.last = noRequest;
    this.count = 0;
    if (this.hasTransfers) this.forgetTransfers();
  }

  add(batch: PostingBatch, index: number): void {
    this.last = this.gathered.add(batch, index, this.last);
    if (this.first === noRequest) this.first = this.last;
    this.count += 1;
  }

  /** The request that was added last is the debit of a transfer. @param pending its credit is owed to another partition. */
  markTransfer(pending: boolean, amountMinor: bigint): void {
    this.transfers.push(this.last);
    this.pending.push(pending);
    if (pending) this.pendingMinor += amountMinor;
  }

  /** Another capability took the amount: it is in transit from now on. */
  markTaken(amountMinor: bigint): void {
    this.pendingMinor += amountMinor;
  }

  private forgetTransfers(): void {
    this.transfers.length = 0;
    this.pending.length = 0;
    this.pendingMinor = 0n;
  }

  /** Nothing was added to it. */
  get isEmpty(): boolean {
    return this.count === 0;
  }

  get hasTransfers(): boolean {
    return this.transfers.length > 0 || this.pendingMinor !== 0n;
  }

  /** Writes `AccountTransfers` as element of TransfersRecorded.accounts. */
  writeTransfers(writer: ByteWriter): void {
    const { transfers, pending, gathered } = this;
    const start = writer.open(0x0a);
    this.writeAccountId(writer);
    writer.stringField(0x12, this.account.unit);
    if (this.pendingMinor !== 0n) {
      writer.reserve(12);
      writer.byte(0x18);
      writer.varint64(Number(this.pendingMinor & 0xffffffffn), Number(this.pendingMinor >> 32n));
      if (this.day !== undefined) {
        const pendingCount = pending.filter(Boolean).length;
        if (pendingCount > 0) writePendingDate(writer, this.day.bookedDate, pendingCount);
      }
    }
    for (let at = 0; at < transfers.length; at += 1) {
      const item = transfers[at] as number;
      const batch = gathered.batch(item);
      const index = gathered.index(item);
      const base = index * stride;
      const { bytes, fields, amountHalves } = batch;
      const { otherAccountAt } = legsOf(batch);
      const transfer = writer.open(0x22);
      writeText(writer, 0x0a, bytes, fields[base + requestIdAt] as number, fields[base + requestIdLength] as number);
      writeText(writer, 0x12, bytes, otherAccountAt[index * 2] as number, otherAccountAt[index * 2 + 1] as number);
      writer.reserve(14);
      writer.byte(0x18);
      writer.varint64(amountHalves[index * 2] as number, amountHalves[index * 2 + 1] as number);
      if (pending[at] === true) {
        writer.byte(0x20);
        writer.byte(1);
      }
      writer.close(transfer);
    }
    writer.close(start);
  }

  /** Writes `AccountPostings` as element of PostingsRecorded.accounts. */
  write(writer: ByteWriter): void {
    const { account, gathered, first, count } = this;
    const start = writer.open(0x0a);
    this.writeAccountId(writer);
    writer.sint64Field(0x10, this.balanceBefore);
    writer.sint64Field(0x18, account.balanceMinor);
    writer.sint64Field(0x20, this.heldBefore);
    writer.sint64Field(0x28, account.heldMinor);
    writer.numberField(0x30, this.entriesBefore);
    writer.numberField(0x38, this.accepted);
    writer.numberField(0x40, this.rejected);
    writer.sint64Field(0x48, this.totalDebit);
    writer.sint64Field(0x50, account.balanceMinor - this.balanceBefore + this.totalDebit);
    writer.numberField(0x58, account.version);
    for (const [holdId, remaining] of this.changedHolds) {
      const hold = writer.open(0x62);
      writer.stringField(0x0a, holdId);
      if (remaining !== 0n) {
        writer.reserve(12);
        writer.byte(0x10);
        writer.varint64(Number(remaining & 0xffffffffn), Number(remaining >> 32n));
        writer.numberField(0x18, account.holdExpiries.get(holdId) ?? 0);
      }
      writer.close(hold);
    }
    this.writeRequests(writer);
    const balances = writer.open(0x72);
    writer.reserve(count * 10);
    for (let item = first; item !== noRequest; item = gathered.next(item)) {
      const { balancesAfterHalves } = gathered.batch(item);
      const at = gathered.index(item) * 2;
      writer.zigzag64(balancesAfterHalves[at] as number, balancesAfterHalves[at + 1] as number);
    }
    writer.close(balances);
    if (this.changedHolds.size > 0) {
      const held = writer.open(0x7a);
      writer.reserve(count * 10);
      for (let item = first; item !== noRequest; item = gathered.next(item)) {
        const { heldAfterHalves } = gathered.batch(item);
        const at = gathered.index(item) * 2;
        writer.zigzag64(heldAfterHalves[at] as number, heldAfterHalves[at + 1] as number);
      }
      writer.close(held);
    }
    if (this.rejected > 0) this.writeRejections(writer);
    if (this.day !== undefined) {
      this.day.finish(this.accepted, account.balanceMinor - this.balanceBefore);
      this.day.write(writer);
    }
    writer.close(start);
  }

  /** The first request has it in bytes. */
  private writeAccountId(writer: ByteWriter): void {
    const { bytes, fields } = this.gathered.batch(this.first);
    const base = this.gathered.index(this.first) * stride;
    const at = fields[base + accountIdAt] as number;
    writeText(writer, 0x0a, bytes, at, fields[base + accountIdLength] as number);
  }

  private writeRequests(writer: ByteWriter): void {
    const { gathered } = this;
    const list = writer.open(0x6a);
    let source: PostingBatch | undefined;
    let from = 0;
    let to = 0;
    for (let item = this.first; item !== noRequest; item = gathered.next(item)) {
      const batch = gathered.batch(item);
      const base = gathered.index(item) * stride;
      const start = batch.fields[base + startColumn] as number;
      if (batch !== source || start !== to) {
        if (source !== undefined) writer.raw(source.bytes, from, to);
        source = batch;
        from = start;
      }
      to = batch.fields[base + endColumn] as number;
    }
    if (source !== undefined) writer.raw(source.bytes, from, to);
    writer.close(list);
  }

  private writeRejections(writer: ByteWriter): void {
    const { gathered, first } = this;
    let position = 0;
    writer.reserve(2);
    writer.byte(0x82);
    const positions = this.openLong(writer);
    for (let item = first; item !== noRequest; item = gathered.next(item), position += 1) {
      if (gathered.batch(item).outcomes[gathered.index(item)] === acceptedOutcome) continue;
      writer.reserve(5);
      writer.varint(position);
    }
    writer.close(positions);
    writer.reserve(2);
    writer.byte(0x8a);
    const reasons = this.openLong(writer);
    for (let item = first; item !== noRequest; item = gathered.next(item)) {
      const outcome = gathered.batch(item).outcomes[gathered.index(item)] as number;
      if (outcome === acceptedOutcome) continue;
      writer.reserve(5);
      writer.varint(outcome);
    }
    writer.close(reasons);
  }

  /** Tags from field 16 on have a second byte, 1, for the fields used here. */
  private openLong(writer: ByteWriter): number {
    return writer.open(0x01);
  }
}

function writeText(writer: ByteWriter, tag: number, bytes: Uint8Array, at: number, length: number): void {
  writer.bytesField(tag, bytes, at, at + length);
}
