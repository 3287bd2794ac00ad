/**
 * Folds the log of a partition into what the read store must show: every record's balance is worked out anew from its
 * request and compared with what the commit says. It reads events by the generated codec, and shares no code with the projection.
 */
import { type DecodedCommit, type EventHandlersOf } from '@sluice/protocol';
import { accountpb, decodedAccountEvents } from '@sluice/protocol/account';
import { LedgerDays, type SaidDay } from './ledger-days';
import { applyRequest, type VerifiedBalance } from './posting-effect';
import { RecordDigest } from './record-digest';

interface LedgerLimits {
  readonly overdraftMinor: bigint;
  readonly maximumBalanceMinor?: bigint;
  readonly maximumPostingMinor?: bigint;
  readonly allowedTypes: readonly string[];
}

export interface LedgerAccount extends VerifiedBalance {
  readonly accountId: string;
  readonly unit: string;
  readonly branchId: string;
  product: string;
  status: string;
  limits: LedgerLimits;
  signingKeyId: string;
  linkedAccountId: string;
  version: number;
  entryCount: number;
  rejectionCount: number;
  readonly openedAtUs: number;
  readonly openedSequence: number;
  readonly openedDate: number | undefined;
  balanceUpdatedAtUs: number;
  /** Undefined: its branch has no business dates. */
  days: LedgerDays | undefined;
  readonly digest: RecordDigest;
  /** What the log itself says wrongly about it; the first one. */
  fault: string | undefined;
}

/** A branch with business dates. */
interface LedgerBranch {
  /** Up to which date all accounts are rolled, and the commit that says so. */
  rolled: { readonly date: number; readonly sequence: number } | undefined;
}

interface Moment {
  readonly sequence: number;
  readonly committedAtUs: number;
}

interface Folding {
  readonly fold: LedgerFold;
  readonly moment: Moment;
}

export class LedgerFold {
  readonly accounts = new Map<string, LedgerAccount>();
  /** Over all accounts: what was added and taken. */
  totalCreditMinor = 0n;
  totalDebitMinor = 0n;

  private readonly branches = new Map<string, LedgerBranch>();
  /** The newest commit that set dates without a run. */
  private datesSetAt = 0;

  /**
   * @param boundOf up to which sequence the account is folded; 0: not at all.
   * @param keepsClosings closing balances are kept, and not only digested.
   */
  constructor(
    private readonly boundOf: (accountId: string) => number,
    private readonly keepsClosings = false,
  ) {}

  take(commit: DecodedCommit): void {
    const { sequence, committedAtUs } = commit;
    const folding = { fold: this, moment: { sequence, committedAtUs } };
    for (const event of commit.events) if (decodedAccountEvents.owns(event.type)) decodedAccountEvents.read(event, commit, HANDLERS, folding);
  }

  open(
    { accountId, unit, branchId, product, limits, signingKeyId, linkedAccountId, businessDate }: accountpb.AccountOpened,
    { sequence, committedAtUs }: Moment,
  ): void {
    if (sequence > this.boundOf(accountId)) return;
    const known = this.accounts.get(accountId);
    if (known !== undefined) {
      known.fault ??= `it is opened again at sequence ${sequence}`;
      return;
    }
    this.accounts.set(accountId, {
      accountId,
      unit,
      branchId,
      product,
      status: 'OPEN',
      limits: limitsOf(limits),
      signingKeyId,
      linkedAccountId,
      balanceMinor: 0n,
      heldMinor: 0n,
      holds: undefined,
      version: 1,
      entryCount: 0,
      rejectionCount: 0,
      openedAtUs: committedAtUs,
      openedSequence: sequence,
      openedDate: businessDate,
      balanceUpdatedAtUs: committedAtUs,
      days: this.branches.has(branchId) ? new LedgerDays(0n, this.keepsClosings) : undefined,
      digest: new RecordDigest(),
      fault: undefined,
    });
  }

  update({ accountId, limits, product, signingKeyId, linkedAccountId }: accountpb.AccountUpdated, { sequence }: Moment): void {
    const account = this.existing(accountId, sequence);
    if (account === undefined) return;
    if (limits !== undefined) account.limits = limitsOf(limits);
    if (product !== undefined) account.product = product;
    if (signingKeyId !== undefined) account.signingKeyId = signingKeyId;
    if (linkedAccountId !== undefined) account.linkedAccountId = linkedAccountId;
    account.version += 1;
  }

  changeStatus({ accountId, status }: accountpb.AccountStatusChanged, { sequence }: Moment): void {
    const account = this.existing(accountId, sequence);
    if (account === undefined) return;
    account.status = nameOf(accountpb.AccountStatus, status, 'ACCOUNT_STATUS_');
    account.version += 1;
  }

  post(postings: accountpb.AccountPostings, { sequence, committedAtUs }: Moment): void {
    const account = this.existing(postings.accountId, sequence);
    if (account === undefined) return;
    const says = (what: string, said: bigint | number, found: bigint | number): void => {
      if (said !== found) account.fault ??= `sequence ${sequence} says ${what} ${said}, its entries make it ${found}`;
    };
    says('the balance before is', postings.balanceBeforeMinor, account.balanceMinor);
    says('held before is', postings.heldBeforeMinor, account.heldMinor);
    says('the entries before are', Number(postings.entriesBefore), account.entryCount);
    const rejections = new Map(postings.rejectedPositions.map((position, at) => [position, postings.rejections[at] ?? accountpb.Rejection.UNRECOGNIZED]));
    const requests = postings.requests?.postings ?? [];
    let accepted = 0;
    let creditMinor = 0n;
    let debitMinor = 0n;
    for (const [position, posting] of requests.entries()) {
      const rejection = rejections.get(position) ?? 0;
      const balanceAfterMinor = postings.balancesAfterMinor[position] ?? 0n;
      const heldAfterMinor = postings.holdsAfterMinor.length === 0 ? postings.heldAfterMinor : (postings.holdsAfterMinor[position] ?? 0n);
      if (rejection === 0) {
        accepted += 1;
        const balanceBeforeMinor = account.balanceMinor;
        try {
          applyRequest(account, posting);
        } catch (error) {
          account.fault ??= `sequence ${sequence}: ${error instanceof Error ? error.message : String(error)}`;
        }
        if (account.balanceMinor > balanceBeforeMinor) creditMinor += account.balanceMinor - balanceBeforeMinor;
        else debitMinor += balanceBeforeMinor - account.balanceMinor;
      }
      says('a balance after is', balanceAfterMinor, account.balanceMinor);
      says('held after is', heldAfterMinor, account.heldMinor);
      account.digest.add({ recordNumber: account.digest.count + 1, sequence, posting, balanceAfterMinor, heldAfterMinor, rejection });
    }
    const refused = requests.length - accepted;
    says('the accepted requests are', postings.acceptedCount, accepted);
    says('the refused requests are', postings.rejectedCount, refused);
    says('the total credit is', postings.totalCreditMinor, creditMinor);
    says('the total debit is', postings.totalDebitMinor, debitMinor);
    says('the balance after is', postings.balanceAfterMinor, account.balanceMinor);
    says('held after is', postings.heldAfterMinor, account.heldMinor);
    account.entryCount += accepted;
    account.rejectionCount += refused;
    account.version += accepted;
    if (postings.totalCreditMinor !== 0n || postings.totalDebitMinor !== 0n) account.balanceUpdatedAtUs = committedAtUs;
    says('the version is', Number(postings.version), account.version);
    this.totalCreditMinor += postings.totalCreditMinor;
    this.totalDebitMinor += postings.totalDebitMinor;
    if ((postings.businessDate === undefined) !== (account.days === undefined))
      account.fault ??= `sequence ${sequence} has ${postings.businessDate === undefined ? 'no business date, and its branch has' : 'a business date, and its branch has none'}`;
    if (postings.businessDate === undefined) return;
    const booked = { date: postings.businessDate, deltaMinor: creditMinor - debitMinor, accepted: accepted > 0 };
    this.say(account, postings, booked, { sequence, committedAtUs });
  }

  /** Dates of a branch: what its accounts have is their last-day balance, where dates are set for the first time or by hand. */
  setDates({ branchId, byHand, runId }: accountpb.BranchDaySet, { sequence }: Moment): void {
    if (runId === '') this.datesSetAt = sequence;
    const known = this.branches.has(branchId);
    if (known && !byHand) return;
    this.branches.set(branchId, { rolled: undefined });
    for (const account of this.accounts.values()) {
      if (account.branchId !== branchId || sequence > this.boundOf(account.accountId)) continue;
      account.days ??= new LedgerDays(account.balanceMinor, this.keepsClosings);
      account.days.set(account.balanceMinor);
    }
  }

  rolled({ branchId, date, complete, accounts }: accountpb.AccountsRolled, moment: Moment): void {
    for (const { accountId, balanceMinor } of accounts) {
      const account = this.existing(accountId, moment.sequence);
      if (account === undefined) continue;
      if (account.balanceMinor !== balanceMinor)
        account.fault ??= `sequence ${moment.sequence} rolls it with ${balanceMinor}, its entries make it ${account.balanceMinor}`;
      this.say(account, { lastDayDate: date, lastDayBalanceMinor: balanceMinor }, undefined, moment);
    }
    const branch = this.branches.get(branchId);
    if (complete && branch !== undefined) branch.rolled = { date, sequence: moment.sequence };
  }

  /** The first thing that the log says wrongly about the account, by all that was folded. */
  faultOf(account: LedgerAccount): string | undefined {
    return account.fault ?? this.missedRoll(account);
  }

  private say(
    account: LedgerAccount,
    said: Pick<accountpb.AccountPostings, 'lastDayDate' | 'lastDayBalanceMinor'>,
    booked: SaidDay['booked'],
    moment: Moment,
  ): void {
    const { lastDayDate, lastDayBalanceMinor } = said;
    account.fault ??= this.missedRoll(account);
    account.fault ??= account.days?.say({ ...moment, lastDayDate, lastDayBalanceMinor, booked, behindSetDates: moment.sequence === this.datesSetAt });
  }

  /** The sweep behind a day cut names every account whose balance a date has changed. */
  private missedRoll({ accountId, branchId, days }: LedgerAccount): string | undefined {
    const rolled = this.branches.get(branchId)?.rolled;
    if (rolled === undefined || days === undefined || rolled.sequence > this.boundOf(accountId) || !days.isOpenAt(rolled.date)) return undefined;
    return `all accounts of its branch are rolled up to date ${rolled.date} at sequence ${rolled.sequence}, but it is not`;
  }

  /** Undefined: the account is not folded so far. */
  private existing(accountId: string, sequence: number): LedgerAccount | undefined {
    if (sequence > this.boundOf(accountId)) return undefined;
    const account = this.accounts.get(accountId);
    if (account === undefined) throw new Error(`account "${accountId}" has events at sequence ${sequence} but was never opened`);
    return account;
  }
}

const HANDLERS: EventHandlersOf<typeof decodedAccountEvents, Folding, void> = {
  PostingsRecorded: ({ accounts }, { fold, moment }) => {
    for (const postings of accounts) fold.post(postings, moment);
  },
  AccountOpened: (opened, { fold, moment }) => fold.open(opened, moment),
  AccountUpdated: (updated, { fold, moment }) => fold.update(updated, moment),
  AccountStatusChanged: (changed, { fold, moment }) => fold.changeStatus(changed, moment),
  // A refused change of the account changes none of its rows.
  AccountCommandRejected: () => undefined,
  BranchDaySet: (set, { fold, moment }) => fold.setDates(set, moment),
  BranchDaySealed: () => undefined,
  AccountsRolled: (rolled, { fold, moment }) => fold.rolled(rolled, moment),
  InterestAccrued: () => undefined,
  TermBegun: () => undefined,
  TermEnded: () => undefined,
  BranchDayTotalled: () => undefined,
  // What transfers do to accounts are postings; their own rows are compared apart (transfer-rows.ts).
  TransfersRecorded: () => undefined,
  TransfersSettled: () => undefined,
};

function limitsOf(limits: accountpb.AccountLimits | undefined): LedgerLimits {
  return {
    overdraftMinor: limits?.overdraftMinor ?? 0n,
    maximumBalanceMinor: limits?.maximumBalanceMinor,
    maximumPostingMinor: limits?.maximumPostingMinor,
    allowedTypes: (limits?.allowedTypes ?? []).map((type) => nameOf(accountpb.PostingType, type, 'POSTING_TYPE_')),
  };
}

/** The name of an enumerated value, without what all of them begin with. */
function nameOf(values: Readonly<Record<number, string>>, value: number, prefix: string): string {
  return (values[value] ?? String(value)).replace(prefix, '');
}
