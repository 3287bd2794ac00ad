/**
 * The projection of accounts: per flush one row per account that was touched, however many postings it had, and their
 * records copied into entry segments. Nothing in it costs time per posting but the copying of bytes.
 *
 * A flush may be repeated after a crash, cut otherwise: events that a row has already (their sequence is not above the
 * row's) are skipped for that row, and segments are named by the attempt, so that rows of an earlier attempt keep pointing to
 * segments of their own.
 */
import type { RowWrite } from '@sluice/ports';
import type { DecodedCommit, EventRecord } from '@sluice/protocol';
import type { LoadedRows, PartitionProjection, Projected, Projection, RowKeys, SetAside } from '../projection';
import { RecentCache } from '../recent-cache';
import { ACCOUNT_AGGREGATE } from './account-aggregate';
import { branchDayRows, setsDates } from './account-branch-days';
import { readAccountEvent, type AccountPart } from './account-event';
import {
  accountRow,
  accountStateOf,
  holdsRow,
  holdsStateOf,
  profileRow,
  profileStateOf,
  type AccountState,
  type HoldsState,
  type ProfileState,
} from './account-state';
import { ClosingsFold } from './closings-fold';
import { ACCOUNT_BRANCH_DAYS, ACCOUNT_COLLECTIONS, ACCOUNT_HOLDS, ACCOUNT_PROFILES, ACCOUNTS } from './collections';
import { EMPTY_SPINE } from './entry-spine';
import type { PostingsDates, PostingsPart } from './postings-reader';
import { SegmentWriter } from './segment-writer';
import { isTransferEvent } from './transfer-event';
import { TransferFold } from './transfer-fold';
import { accountVerification } from './verification/account-verification';

export const accountProjection: Projection = {
  name: 'account',
  format: 5,
  collections: ACCOUNT_COLLECTIONS,
  verification: accountVerification,
  open: (partition, setAside, cachedAggregates) => new AccountPartitionProjection(partition, setAside, cachedAggregates),
};

/** What is in memory of an account. Profile and holds are read when an event is about them. */
interface KnownAccount {
  account: AccountState | undefined;
  profile: ProfileState | undefined;
  holds: HoldsState | undefined;
}

/** An account that the flush touches. */
interface TouchedAccount {
  readonly parts: AccountPart[];
  needsProfile: boolean;
  needsHolds: boolean;
  /** Undefined: its rows are being read. */
  known: KnownAccount | undefined;
}

class AccountPartitionProjection implements PartitionProjection {
  private touched = new Map<string, TouchedAccount>();
  private readonly cache: RecentCache<KnownAccount>;
  private readonly setAsideFrom = new Map<string, number>();
  private readonly transfers: TransferFold;
  private readonly branchDays: ReturnType<typeof branchDayRows.open>;
  /** The newest commit that set dates by hand, or for the first time; and what it says of accounts behind that. */
  private datesSetAt = 0;
  private behindSetDates = new Set<AccountPart>();

  constructor(
    private readonly partition: number,
    setAside: readonly SetAside[],
    cachedAccounts: number,
  ) {
    this.cache = new RecentCache(cachedAccounts);
    this.transfers = new TransferFold(partition, cachedAccounts);
    this.branchDays = branchDayRows.open(partition, setAside, cachedAccounts);
    for (const { aggregate, key, sequence } of setAside) if (aggregate === ACCOUNT_AGGREGATE) this.setAsideFrom.set(key, sequence);
  }

  take(commit: DecodedCommit, event: EventRecord): boolean {
    if (isTransferEvent(event)) {
      this.transfers.take(commit, event);
      return true;
    }
    if (this.branchDays.take(commit, event) && setsDates(commit, event)) this.datesSetAt = commit.sequence;
    return readAccountEvent(commit, event, (accountId, part) => {
      if (part.sequence >= (this.setAsideFrom.get(accountId) ?? Number.POSITIVE_INFINITY)) return;
      let touched = this.touched.get(accountId);
      if (touched === undefined) {
        touched = { parts: [], needsProfile: false, needsHolds: false, known: undefined };
        this.touched.set(accountId, touched);
      }
      touched.parts.push(part);
      if (part.sequence === this.datesSetAt) this.behindSetDates.add(part);
      if (part.kind === 'postings') touched.needsHolds ||= part.changedHolds.length > 0;
      else if (part.kind !== 'rolled') touched.needsProfile = true;
    });
  }

  missing(): RowKeys {
    const accounts: string[] = [];
    const profiles: string[] = [];
    const holds: string[] = [];
    for (const [accountId, touched] of this.touched) {
      touched.known = this.cache.get(accountId);
      if (touched.known === undefined) accounts.push(accountId);
      if (touched.needsProfile && touched.known?.profile === undefined) profiles.push(accountId);
      if (touched.needsHolds && touched.known?.holds === undefined) holds.push(accountId);
    }
    const keys = new Map<string, readonly string[]>();
    if (accounts.length > 0) keys.set(ACCOUNTS.name, accounts);
    if (profiles.length > 0) keys.set(ACCOUNT_PROFILES.name, profiles);
    if (holds.length > 0) keys.set(ACCOUNT_HOLDS.name, holds);
    for (const [collection, transfers] of this.transfers.missing()) keys.set(collection, transfers);
    const branchDays = this.branchDays.missing();
    if (branchDays.length > 0) keys.set(ACCOUNT_BRANCH_DAYS.name, branchDays);
    return keys;
  }

  linked(loaded: LoadedRows): RowKeys {
    return this.transfers.linked(loaded);
  }

  project(loaded: LoadedRows, attempt: string): Projected {
    const segments = new SegmentWriter(this.partition, attempt);
    const profileWrites: RowWrite[] = [];
    const holdWrites: RowWrite[] = [];
    const accountWrites: RowWrite[] = [];
    const closingWrites: RowWrite[] = [];
    const setAside: SetAside[] = [];
    let postings = 0;
    let busiest: { key: string; postings: number } | undefined;
    for (const [accountId, touched] of this.touched) {
      const known = touched.known ?? { account: undefined, profile: undefined, holds: undefined };
      if (touched.known === undefined) this.cache.set(accountId, known);
      this.fill(known, accountId, touched, loaded);
      const fold = new AccountFold(accountId, this.partition, known, this.behindSetDates);
      for (const part of touched.parts) {
        try {
          fold.apply(part);
        } catch (error) {
          setAside.push(this.setAside(accountId, part.sequence, error));
          break;
        }
      }
      fold.finish(segments);
      for (const write of fold.closings?.writes(this.partition, accountId) ?? []) closingWrites.push(write);
      if (fold.profileChanged && known.profile) profileWrites.push({ kind: 'put', collection: ACCOUNT_PROFILES.name, row: profileRow(known.profile) });
      if (fold.holdsChanged && known.holds) holdWrites.push({ kind: 'put', collection: ACCOUNT_HOLDS.name, row: holdsRow(known.holds) });
      if (fold.accountChanged && known.account) accountWrites.push({ kind: 'put', collection: ACCOUNTS.name, row: accountRow(known.account) });
      postings += fold.postingCount;
      if (fold.postingCount > (busiest?.postings ?? 0)) busiest = { key: accountId, postings: fold.postingCount };
    }
    segments.finish();
    this.touched = new Map();
    this.behindSetDates = new Set();
    const transferWrites = this.transfers.project(loaded, setAside);
    const branchDays = this.branchDays.project(loaded);
    for (const aside of branchDays.setAside) setAside.push(aside);
    // One by one: spreading tens of thousands of writes as arguments would overflow the stack.
    const writes = segments.writes;
    for (const group of [closingWrites, profileWrites, holdWrites, accountWrites, transferWrites, branchDays.writes])
      for (const write of group) writes.push(write);
    return { writes, setAside, postings, busiest };
  }

  private fill(known: KnownAccount, accountId: string, touched: TouchedAccount, loaded: LoadedRows): void {
    if (touched.known === undefined) {
      const row = loaded.get(ACCOUNTS.name)?.get(accountId);
      known.account = row && accountStateOf(row);
    }
    if (touched.needsProfile && known.profile === undefined) {
      const row = loaded.get(ACCOUNT_PROFILES.name)?.get(accountId);
      known.profile = row && profileStateOf(row);
    }
    if (touched.needsHolds && known.holds === undefined) {
      const row = loaded.get(ACCOUNT_HOLDS.name)?.get(accountId);
      known.holds = row === undefined ? { accountId, holds: new Map(), expiries: new Map(), sequence: 0 } : holdsStateOf(row);
    }
  }

  private setAside(accountId: string, sequence: number, error: unknown): SetAside {
    this.setAsideFrom.set(accountId, sequence);
    return { aggregate: ACCOUNT_AGGREGATE, key: accountId, partition: this.partition, sequence, error: error instanceof Error ? error.message : String(error) };
  }
}

/** Folds the events of one flush into one account's rows. Each row skips what it has already. */
class AccountFold {
  accountChanged = false;
  profileChanged = false;
  holdsChanged = false;
  postingCount = 0;
  /** Undefined: no event says anything of the account's day. */
  closings: ClosingsFold | undefined;
  private readonly accountHas: number;
  private readonly profileHas: number;
  private readonly holdsHave: number;
  private readonly recorded: PostingsPart[] = [];
  private readonly entriesBefore: number;

  constructor(
    private readonly accountId: string,
    private readonly partition: number,
    private readonly known: KnownAccount,
    private readonly behindSetDates: ReadonlySet<AccountPart>,
  ) {
    this.accountHas = known.account?.sequence ?? 0;
    this.profileHas = known.profile?.sequence ?? 0;
    this.holdsHave = known.holds?.sequence ?? 0;
    this.entriesBefore = known.account?.entryCount ?? 0;
  }

  apply(part: AccountPart): void {
    switch (part.kind) {
      case 'opened':
        return this.open(part);
      case 'postings':
        return this.post(part);
      case 'rolled':
        return this.roll(part);
      case 'updated':
      case 'statusChanged':
        return this.change(part);
      default:
        return unreachable(part);
    }
  }

  /** Appends what was recorded to the account's chain of entries. */
  finish(segments: SegmentWriter): void {
    const { account } = this.known;
    if (account === undefined || this.recorded.length === 0) return;
    const end = segments.append(this.accountId, { spine: account.spine, recordCount: account.recordCount, entryCount: this.entriesBefore }, this.recorded);
    account.spine = end.spine;
    account.recordCount = end.recordCount;
  }

  private open(part: AccountPart & { kind: 'opened' }): void {
    const { known, accountId, partition } = this;
    const { sequence, committedAtUs } = part;
    if (sequence > this.accountHas) {
      if (known.account !== undefined) throw new Error(`account ${accountId} is opened twice`);
      known.account = {
        accountId,
        balanceMinor: 0n,
        heldMinor: 0n,
        version: 1,
        entryCount: 0,
        rejectionCount: 0,
        recordCount: 0,
        balanceUpdatedAtUs: committedAtUs,
        spine: EMPTY_SPINE,
        profileSequence: sequence,
        holdsSequence: 0,
        day: undefined,
        sequence,
      };
      this.accountChanged = true;
    }
    if (sequence > this.profileHas) {
      const { unit, branchId, product, limits, signingKeyId, linkedAccountId, businessDate } = part;
      known.profile = {
        accountId,
        partition,
        unit,
        branchId,
        product,
        status: 'OPEN',
        limits,
        signingKeyId,
        linkedAccountId,
        openedAtUs: committedAtUs,
        openedSequence: sequence,
        openedDate: businessDate,
        sequence,
      };
      this.profileChanged = true;
    }
  }

  private post(part: PostingsPart): void {
    const { sequence, changedHolds } = part;
    if (sequence > this.accountHas) {
      const account = this.existing();
      assertContinues(account, part);
      if (part.dates !== undefined) this.takeDates(account, part, part.dates);
      if (part.balanceMoved) account.balanceUpdatedAtUs = part.committedAtUs;
      account.balanceMinor = part.balanceAfterMinor;
      account.heldMinor = part.heldAfterMinor;
      account.entryCount += part.acceptedCount;
      account.rejectionCount += part.rejectedCount;
      account.version = part.version;
      if (changedHolds.length > 0) account.holdsSequence = sequence;
      this.changed(account, sequence);
      this.recorded.push(part);
      this.postingCount += part.acceptedCount + part.rejectedCount;
    }
    const { holds } = this.known;
    if (changedHolds.length === 0 || holds === undefined || sequence <= this.holdsHave) return;
    for (const { holdId, remainingMinor, expiresAtUs } of changedHolds) {
      if (remainingMinor === 0n) holds.holds.delete(holdId);
      else holds.holds.set(holdId, remainingMinor);
      if (remainingMinor === 0n) holds.expiries.delete(holdId);
      else if (expiresAtUs !== 0) holds.expiries.set(holdId, expiresAtUs);
    }
    holds.sequence = sequence;
    this.holdsChanged = true;
  }

  private takeDates(account: AccountState, part: PostingsPart, { businessDate, lastDayDate, lastDayBalanceMinor }: PostingsDates): void {
    const { sequence, committedAtUs, balanceBeforeMinor, balanceAfterMinor, acceptedCount } = part;
    this.closings ??= new ClosingsFold();
    account.day = this.closings.take(account.day, {
      sequence,
      committedAtUs,
      date: lastDayDate,
      balanceMinor: lastDayBalanceMinor,
      balanceBeforeMinor,
      booked: { date: businessDate, deltaMinor: balanceAfterMinor - balanceBeforeMinor, accepted: acceptedCount > 0 },
      behindSetDates: this.behindSetDates.has(part),
    });
  }

  private roll(part: AccountPart & { kind: 'rolled' }): void {
    const { sequence, committedAtUs, date, balanceMinor } = part;
    if (sequence <= this.accountHas) return;
    const account = this.existing();
    if (account.balanceMinor !== balanceMinor)
      throw new Error(`account ${account.accountId} is rolled with balance ${balanceMinor}; the row stands at ${account.balanceMinor}`);
    this.closings ??= new ClosingsFold();
    const behindSetDates = this.behindSetDates.has(part);
    account.day = this.closings.take(account.day, {
      sequence,
      committedAtUs,
      date,
      balanceMinor,
      balanceBeforeMinor: balanceMinor,
      booked: undefined,
      behindSetDates,
    });
    this.changed(account, sequence);
  }

  private change(part: AccountPart & { kind: 'updated' | 'statusChanged' }): void {
    const { sequence } = part;
    const { profile } = this.known;
    if (profile === undefined) throw new Error(`account ${this.accountId} is changed but was never opened`);
    if (sequence > this.accountHas) {
      const account = this.existing();
      account.version = part.version;
      account.profileSequence = sequence;
      this.changed(account, sequence);
    }
    if (sequence <= this.profileHas) return;
    if (part.kind === 'statusChanged') profile.status = part.status;
    else {
      if (part.limits !== undefined) profile.limits = part.limits;
      if (part.product !== undefined) profile.product = part.product;
      if (part.signingKeyId !== undefined) profile.signingKeyId = part.signingKeyId;
      if (part.linkedAccountId !== undefined) profile.linkedAccountId = part.linkedAccountId;
    }
    profile.sequence = sequence;
    this.profileChanged = true;
  }

  private existing(): AccountState {
    const { account } = this.known;
    if (account === undefined) throw new Error(`account ${this.accountId} has events but was never opened`);
    return account;
  }

  private changed(account: AccountState, sequence: number): void {
    account.sequence = sequence;
    this.accountChanged = true;
  }
}

/** What was read of the account must be where the recorded turn starts: else the row or the log was tampered with. */
function assertContinues(account: AccountState, postings: PostingsPart): void {
  if (account.balanceMinor === postings.balanceBeforeMinor && account.heldMinor === postings.heldBeforeMinor && account.entryCount === postings.entriesBefore)
    return;
  throw new Error(
    `account ${account.accountId}: the recorded turn starts at balance ${postings.balanceBeforeMinor}, held ${postings.heldBeforeMinor}, ${postings.entriesBefore} entries; ` +
      `the row stands at ${account.balanceMinor}, ${account.heldMinor}, ${account.entryCount}`,
  );
}

function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
