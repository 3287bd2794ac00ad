/**
 * Makes valid histories of a partition for tests: commands are decided by the domain, one commit per turn, encoded with the
 * generated codec (the oracle of whatever reads them by hand). It keeps what a correct projection must show.
 */
import {
  applyPosting,
  decideAccount,
  decidePosting,
  evolveAccount,
  UNRECORDED_REJECTIONS,
  type Account,
  type AccountCommand,
  type AccountEvent,
  type AccountLimits,
  type Posting,
  type Rejection,
} from '@sluice/domain/account';
import type { CommitToAppend } from '@sluice/ports';
import { CommitWriter, NO_CHECKSUM } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';

export type HistoryCommand =
  | { readonly kind: 'post'; readonly accountId: string; readonly posting: Posting }
  | { readonly kind: 'account'; readonly accountId: string; readonly requestId: string; readonly command: AccountCommand };

/** A record as queries must show it. */
export interface HistoryRecord {
  readonly requestId: string;
  readonly type: Posting['type'];
  readonly amountMinor: bigint;
  readonly balanceAfterMinor: bigint;
  readonly heldAfterMinor: bigint;
  /** 0: refused. */
  readonly entryNumber: number;
  readonly sequence: number;
  readonly committedAtUs: number;
  readonly rejection: Rejection | undefined;
}

export interface HistoryOptions {
  /** 32 hex digits. */
  readonly incarnation: string;
  readonly partition: number;
}

export class AccountHistory {
  readonly commits: CommitToAppend[] = [];
  readonly accounts = new Map<string, Account>();
  /** Per account, in the order of their decision. */
  readonly records = new Map<string, HistoryRecord[]>();
  private readonly incarnation: Uint8Array;
  private previousChecksum: Uint8Array = NO_CHECKSUM;
  private readonly writer = new CommitWriter();

  constructor(private readonly options: HistoryOptions) {
    this.incarnation = Buffer.from(options.incarnation, 'hex');
  }

  get sequence(): number {
    return this.commits.length;
  }

  /** Decides the commands as one turn; what is refused without a record is left out. Adjacent postings become one event. */
  turn(commands: readonly HistoryCommand[], committedAtUs: number): CommitToAppend {
    const sequence = this.sequence + 1;
    const { partition } = this.options;
    this.writer.begin({ incarnation: this.incarnation, partition, sequence, epoch: 1, committedAtUs, previousChecksum: this.previousChecksum }, []);
    let recorded = new Map<string, accountpb.AccountPostings>();
    let commandCount = 0;
    const closePostings = (): void => {
      if (recorded.size === 0) return;
      const event = accountpb.PostingsRecorded.fromPartial({ accounts: [...recorded.values()] });
      this.writer.event('account.PostingsRecorded', 1, accountpb.PostingsRecorded.encode(event).finish());
      recorded = new Map();
    };
    for (const command of commands) {
      if (command.kind === 'post') {
        if (this.post(recorded, command.accountId, command.posting, sequence, committedAtUs)) commandCount += 1;
      } else {
        closePostings();
        if (this.changeAccount(command, committedAtUs)) commandCount += 1;
      }
    }
    closePostings();
    const eventTypes = this.writer.eventTypes;
    const bytes = this.writer.finish();
    this.previousChecksum = bytes.subarray(bytes.length - NO_CHECKSUM.length);
    const commit: CommitToAppend = { partition, sequence, bytes, commandCount, committedAtUs, eventTypes };
    this.commits.push(commit);
    return commit;
  }

  private post(recorded: Map<string, accountpb.AccountPostings>, accountId: string, posting: Posting, sequence: number, committedAtUs: number): boolean {
    const account = this.accounts.get(accountId);
    if (account?.holds.has(posting.requestId)) return false;
    const decision = decidePosting(account, posting, true);
    if (account === undefined || (!decision.accepted && UNRECORDED_REJECTIONS.has(decision.rejection))) return false;
    let postings = recorded.get(accountId);
    if (postings === undefined) {
      postings = accountpb.AccountPostings.fromPartial({
        accountId,
        balanceBeforeMinor: account.balanceMinor,
        heldBeforeMinor: account.heldMinor,
        entriesBefore: BigInt(account.entryCount),
        requests: { postings: [] },
      });
      recorded.set(accountId, postings);
    }
    if (decision.accepted) {
      const moved = decision.balanceAfterMinor - account.balanceMinor;
      if (moved > 0n) postings.totalCreditMinor += moved;
      else postings.totalDebitMinor -= moved;
      if (decision.holdId !== undefined) {
        const { holdId, holdRemainingMinor: remainingMinor = 0n, holdExpiresAtUs = account.holdExpiries.get(holdId) ?? 0 } = decision;
        const expiresAtUs = remainingMinor === 0n ? 0n : BigInt(holdExpiresAtUs);
        const known = postings.changedHolds.find((hold) => hold.holdId === holdId);
        if (known === undefined) postings.changedHolds.push({ holdId, remainingMinor, expiresAtUs });
        else Object.assign(known, { remainingMinor, expiresAtUs });
      }
      applyPosting(account, decision, committedAtUs);
      postings.acceptedCount += 1;
    } else {
      postings.rejectedPositions.push(postings.requests?.postings.length ?? 0);
      postings.rejections.push(accountpb.Rejection[`REJECTION_${decision.rejection}` as keyof typeof accountpb.Rejection]);
      postings.rejectedCount += 1;
      account.rejectionCount += 1;
    }
    postings.requests?.postings.push(accountpb.Posting.fromPartial({ ...posting, accountId, type: accountpb.PostingType[`POSTING_TYPE_${posting.type}`] }));
    postings.balancesAfterMinor.push(account.balanceMinor);
    postings.holdsAfterMinor.push(account.heldMinor);
    postings.balanceAfterMinor = account.balanceMinor;
    postings.heldAfterMinor = account.heldMinor;
    postings.version = BigInt(account.version);
    this.recordsOf(accountId).push({
      requestId: posting.requestId,
      type: posting.type,
      amountMinor: posting.amountMinor,
      balanceAfterMinor: account.balanceMinor,
      heldAfterMinor: account.heldMinor,
      entryNumber: decision.accepted ? account.entryCount : 0,
      sequence,
      committedAtUs,
      rejection: decision.accepted ? undefined : decision.rejection,
    });
    return true;
  }

  private changeAccount({ accountId, requestId, command }: HistoryCommand & { kind: 'account' }, committedAtUs: number): boolean {
    const account = this.accounts.get(accountId);
    const decision = decideAccount(account, command);
    if (!decision.accepted) {
      if (account === undefined) return false;
      const rejection = accountpb.Rejection[`REJECTION_${decision.rejection}` as keyof typeof accountpb.Rejection];
      const event = accountpb.AccountCommandRejected.fromPartial({ requestId, accountId, rejection });
      this.writer.event('account.AccountCommandRejected', 1, accountpb.AccountCommandRejected.encode(event).finish());
      return true;
    }
    const evolved = evolveAccount(account, decision.event, committedAtUs);
    this.accounts.set(accountId, evolved);
    this.writeAccountEvent(accountId, requestId, decision.event, evolved);
    return true;
  }

  private writeAccountEvent(accountId: string, requestId: string, event: AccountEvent, after: Account): void {
    const version = BigInt(after.version);
    switch (event.kind) {
      case 'opened': {
        const { unit, branchId, product, signingKeyId } = event;
        const opened = accountpb.AccountOpened.fromPartial({
          requestId,
          accountId,
          unit,
          branchId,
          product,
          signingKeyId,
          limits: limitsMessage(event.limits),
        });
        this.writer.event('account.AccountOpened', 1, accountpb.AccountOpened.encode(opened).finish());
        return;
      }
      case 'updated': {
        const { product, signingKeyId } = event;
        const limits = event.limits && limitsMessage(event.limits);
        const updated = accountpb.AccountUpdated.fromPartial({ requestId, accountId, product, signingKeyId, limits, version });
        this.writer.event('account.AccountUpdated', 1, accountpb.AccountUpdated.encode(updated).finish());
        return;
      }
      case 'statusChanged': {
        const status = accountpb.AccountStatus[`ACCOUNT_STATUS_${event.status}`];
        const changed = accountpb.AccountStatusChanged.fromPartial({ requestId, accountId, status, note: event.note, version });
        this.writer.event('account.AccountStatusChanged', 1, accountpb.AccountStatusChanged.encode(changed).finish());
        return;
      }
      default:
        throw new Error(`unreachable: ${JSON.stringify(event satisfies never)}`);
    }
  }

  private recordsOf(accountId: string): HistoryRecord[] {
    let records = this.records.get(accountId);
    if (records === undefined) {
      records = [];
      this.records.set(accountId, records);
    }
    return records;
  }
}

function limitsMessage(limits: AccountLimits): accountpb.AccountLimits {
  return accountpb.AccountLimits.fromPartial({
    overdraftMinor: limits.overdraftMinor,
    maximumBalanceMinor: limits.maximumBalanceMinor,
    maximumPostingMinor: limits.maximumPostingMinor,
    allowedTypes: limits.allowedTypes.map((type) => accountpb.PostingType[`POSTING_TYPE_${type}`]),
  });
}
