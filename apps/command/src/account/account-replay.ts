/** Takes the events of accounts from the log into the accounts of a partition, and the ids of their requests into its index. */
import { beginTransit, endTransit, evolveAccount, evolvePostings, type Account, type AccountEvent } from '@sluice/domain/account';
import { keyedHash, lastHash, requestHash, requestHashIn, wordsIn, type PartitionServices } from '@sluice/engine';
import type { CommitHeader, EventHandlersOf, EventRecord } from '@sluice/protocol';
import {
  accountEvents,
  HOLD_ID_LENGTH_AND_FLAGS,
  isEngineMade,
  postingsRecordedIn,
  REQUEST_ID_AT,
  REQUEST_ID_LENGTH,
  scanRecordedPostings,
  STRIDE,
  transfersRecordedIn,
  transfersSettledIn,
  TYPE,
  type TransfersOfAccount,
} from '@sluice/protocol/account';
import { openedEvent, statusChangedEvent, updatedEvent } from './account-events';
import type { AccountTable } from './account-table';
import type { AccountDays } from './days/account-days';
import { takePostingsDay } from './days/group-day';
import { takeAccountsRolled, takeBranchDaySealed, takeBranchDaySet } from './days/day-commands';
import { takeBranchDayTotalled, takeInterestAccrued, takeTermBegun, takeTermEnded } from './days/day-jobs';

/** What every event of a command names. */
interface RecordedRequest {
  readonly accountId: string;
  readonly requestId: string;
}

export class AccountReplay {
  constructor(
    private readonly services: PartitionServices,
    private readonly table: AccountTable,
    private readonly days: AccountDays,
  ) {}

  /** What may be large is taken step by step. */
  replay(event: EventRecord, commit: CommitHeader): Iterable<number> | undefined {
    return accountEvents.read(event, commit, this.replaying, commit);
  }

  private readonly replaying: EventHandlersOf<typeof accountEvents, CommitHeader, Iterable<number> | undefined> = {
    PostingsRecorded: (payload, commit) => this.replayPostings(payload, commit),
    AccountOpened: (opened, commit) => this.evolve(opened, openedEvent(opened), commit),
    AccountUpdated: (updated, commit) => this.evolve(updated, updatedEvent(updated), commit),
    AccountStatusChanged: (changed, commit) => this.evolve(changed, statusChangedEvent(changed), commit),
    AccountCommandRejected: (rejected, commit) => this.replayRejection(rejected, commit),
    BranchDaySet: (set) => takeBranchDaySet(this.days, set),
    BranchDaySealed: (sealed) => takeBranchDaySealed(this.days, sealed),
    AccountsRolled: (rolled) => takeAccountsRolled(this.table, this.days, rolled),
    InterestAccrued: (accrued) => takeInterestAccrued(this.table, this.days, accrued),
    TermBegun: (begun) => takeTermBegun(this.table, this.days, begun),
    TermEnded: (ended) => takeTermEnded(this.table, this.days, ended),
    BranchDayTotalled: (totalled) => takeBranchDayTotalled(this.days, totalled),
    TransfersRecorded: (payload) => this.replayTransfers(transfersRecordedIn(payload), beginTransit, 1),
    TransfersSettled: (payload) => this.replayTransfers(transfersSettledIn(payload), endTransit, -1),
  };

  /** Account by account, as postings are. */
  private *replayTransfers(accounts: Iterable<TransfersOfAccount>, change: (account: Account, amountMinor: bigint) => void, more: 1 | -1): Generator<number> {
    for (const { accountId, amountMinor, dates, bytes } of accounts) {
      const id = Buffer.from(accountId, 'utf8');
      const ordinal = this.table.ordinalOf(id, 0, id.length);
      if (ordinal === -1) throw new Error(`transfers of account ${accountId}, which was never opened`);
      if (amountMinor !== 0n) change(this.table.touch(ordinal), amountMinor);
      for (const { date, count } of dates) this.days.branchOf(ordinal)?.countOutgoing(date, more * count);
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
      if (postings.day !== undefined && postings.acceptedCount > 0) takePostingsDay(this.days, ordinal, postings.day);
      const batch = scanRecordedPostings(postings.requests);
      const { requestHashes } = batch;
      const words = wordsIn(batch.bytes);
      for (let index = 0; index < batch.count; index += 1) {
        const base = index * STRIDE;
        if (isEngineMade(batch.fields[base + HOLD_ID_LENGTH_AND_FLAGS] as number, batch.fields[base + TYPE] as number)) continue;
        const at = batch.fields[base + REQUEST_ID_AT] as number;
        requestHashIn(this.services.seeds, hash, words, at, at + (batch.fields[base + REQUEST_ID_LENGTH] as number), requestHashes, index * 2);
        this.services.index.add(requestHashes[index * 2] as number, requestHashes[index * 2 + 1] as number, commit.sequence);
      }
      batch.release();
      yield bytes.length;
    }
  }

  private evolve({ accountId, requestId }: RecordedRequest, event: AccountEvent, commit: CommitHeader): undefined {
    const id = Buffer.from(accountId, 'utf8');
    const ordinal = this.table.ordinalOf(id, 0, id.length);
    const account = evolveAccount(ordinal === -1 ? undefined : this.table.touch(ordinal), event, commit.committedAtUs);
    if (ordinal === -1) this.days.opened(this.table.add(account));
    else this.days.updated(ordinal);
    this.rememberRequest(id, Buffer.from(requestId, 'utf8'), commit.sequence);
  }

  private rememberRequest(accountId: Uint8Array, requestId: Uint8Array, sequence: number): void {
    requestHash(this.services.seeds, keyedHash(this.services.seeds, accountId, 0, accountId.length), requestId, 0, requestId.length);
    this.services.index.add(lastHash.first, lastHash.second, sequence);
  }
}
