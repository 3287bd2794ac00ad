/**
 * Folds the log of a partition into what the read store must show: every record's balance is worked out anew from its
 * request and compared with what the commit says. It shares no code with the projection but the codec.
 */
import type { AccountLimits, AccountStatus } from '@sluice/domain';
import { type AccountPart, type AccountSnapshot, readAccountEvent, RecordCursor } from '@sluice/projections';
import { type AccountPostingsHeader, type DecodedCommit, readAccountPostings } from '@sluice/protocol';
import { applyRequest, type VerifiedBalance } from './posting-effect';
import { RecordDigest } from './record-digest';

export interface LedgerAccount extends VerifiedBalance {
  readonly accountId: string;
  readonly unit: string;
  readonly branchId: string;
  product: string;
  status: AccountStatus;
  limits: AccountLimits;
  signingKeyId: string;
  version: number;
  entryCount: number;
  rejectionCount: number;
  readonly openedAtUs: number;
  readonly openedSequence: number;
  balanceUpdatedAtUs: number;
  readonly digest: RecordDigest;
  /** What the log itself says wrongly about it; the first one. */
  fault: string | undefined;
}

export class LedgerFold {
  readonly accounts = new Map<string, LedgerAccount>();
  /** Over all accounts: what was added and taken. */
  totalCreditMinor = 0n;
  totalDebitMinor = 0n;

  /**
   * @param boundOf up to which sequence the account is folded; 0: not at all.
   */
  constructor(private readonly boundOf: (accountId: string) => number) {}

  take(commit: DecodedCommit): void {
    for (const event of commit.events) {
      readAccountEvent(commit, event, (accountId, part) => {
        if (part.sequence <= this.boundOf(accountId)) this.apply(accountId, part);
      });
    }
  }

  private apply(accountId: string, part: AccountPart): void {
    const account = this.accounts.get(accountId);
    if (part.kind === 'opened') {
      if (account === undefined) this.open(accountId, part);
      else account.fault ??= `it is opened again at sequence ${part.sequence}`;
      return;
    }
    if (account === undefined) throw new Error(`account "${accountId}" has events at sequence ${part.sequence} but was never opened`);
    switch (part.kind) {
      case 'postings':
        return this.post(account, part, readAccountPostings(part.bytes.subarray(part.start, part.end)));
      case 'updated':
        if (part.limits !== undefined) account.limits = part.limits;
        if (part.product !== undefined) account.product = part.product;
        if (part.signingKeyId !== undefined) account.signingKeyId = part.signingKeyId;
        account.version += 1;
        return;
      case 'statusChanged':
        account.status = part.status;
        account.version += 1;
        return;
      default:
        throw new Error(`unreachable: ${JSON.stringify(part satisfies never)}`);
    }
  }

  private open(accountId: string, part: AccountPart & { kind: 'opened' }): void {
    const { unit, branchId, product, limits, signingKeyId, committedAtUs, sequence } = part;
    this.accounts.set(accountId, {
      accountId,
      unit,
      branchId,
      product,
      status: 'OPEN',
      limits,
      signingKeyId,
      balanceMinor: 0n,
      heldMinor: 0n,
      holds: undefined,
      version: 1,
      entryCount: 0,
      rejectionCount: 0,
      openedAtUs: committedAtUs,
      openedSequence: sequence,
      balanceUpdatedAtUs: committedAtUs,
      digest: new RecordDigest(),
      fault: undefined,
    });
  }

  private post(account: LedgerAccount, { sequence, committedAtUs }: AccountPart, postings: AccountPostingsHeader): void {
    const says = (what: string, said: bigint | number, found: bigint | number): void => {
      if (said !== found) account.fault ??= `sequence ${sequence} says ${what} ${said}, its entries make it ${found}`;
    };
    says('the balance before is', postings.balanceBeforeMinor, account.balanceMinor);
    says('held before is', postings.heldBeforeMinor, account.heldMinor);
    says('the entries before are', postings.entriesBefore, account.entryCount);
    let accepted = 0;
    const cursor = new RecordCursor(postings, postings.heldAfterMinor);
    while (cursor.next()) {
      const { request, rejection, balanceAfterMinor, heldAfterMinor } = cursor;
      if (rejection === 0) {
        accepted += 1;
        try {
          applyRequest(account, request);
        } catch (error) {
          account.fault ??= `sequence ${sequence}: ${error instanceof Error ? error.message : String(error)}`;
        }
      }
      says('a balance after is', balanceAfterMinor, account.balanceMinor);
      says('held after is', heldAfterMinor, account.heldMinor);
      account.digest.add({ recordNumber: account.digest.count + 1, sequence, request, balanceAfterMinor, heldAfterMinor, rejection });
    }
    says('the accepted requests are', postings.acceptedCount, accepted);
    says('the refused requests are', postings.rejectedCount, cursor.position + 1 - accepted);
    says('the balance after is', postings.balanceAfterMinor, account.balanceMinor);
    says('held after is', postings.heldAfterMinor, account.heldMinor);
    account.entryCount += accepted;
    account.rejectionCount += cursor.position + 1 - accepted;
    account.version += accepted;
    if (postings.totalCreditMinor !== 0n || postings.totalDebitMinor !== 0n) account.balanceUpdatedAtUs = committedAtUs;
    says('the version is', postings.version, account.version);
    this.totalCreditMinor += postings.totalCreditMinor;
    this.totalDebitMinor += postings.totalDebitMinor;
  }
}

type Comparable = readonly (readonly [what: string, value: string])[];

/** What the log says of the account, in the form that it is compared in. */
export function comparableOfLedger(account: LedgerAccount): Comparable {
  return comparable({ ...account, recordCount: account.digest.count, holds: account.holds ?? NO_HOLDS });
}

/** What the read store says of it. */
export function comparableOfSnapshot({ account, profile, holds }: AccountSnapshot): Comparable {
  return comparable({ ...profile, ...account, holds: holds?.holds ?? NO_HOLDS });
}

const NO_HOLDS: ReadonlyMap<string, bigint> = new Map();

interface Compared extends Omit<LedgerAccount, 'digest' | 'fault' | 'holds'> {
  readonly recordCount: number;
  readonly holds: ReadonlyMap<string, bigint>;
}

function comparable(account: Compared): Comparable {
  const { limits } = account;
  return [
    ['balance', String(account.balanceMinor)],
    ['held', String(account.heldMinor)],
    ['version', String(account.version)],
    ['entry count', String(account.entryCount)],
    ['rejection count', String(account.rejectionCount)],
    ['record count', String(account.recordCount)],
    ['balance updated at', String(account.balanceUpdatedAtUs)],
    ['unit', account.unit],
    ['branch', account.branchId],
    ['product', account.product],
    ['status', account.status],
    ['overdraft', String(limits.overdraftMinor)],
    ['maximum balance', String(limits.maximumBalanceMinor ?? 'none')],
    ['maximum posting', String(limits.maximumPostingMinor ?? 'none')],
    ['allowed types', limits.allowedTypes.join(',')],
    ['signing key', account.signingKeyId],
    ['opened at', String(account.openedAtUs)],
    ['opened at sequence', String(account.openedSequence)],
    ['holds', [...account.holds].map(([holdId, remainingMinor]) => `${holdId}=${remainingMinor}`).join(' ')],
  ];
}

/** What differs, for people. */
export function differences(log: Comparable, read: Comparable): string[] {
  return log.flatMap(([what, value], index) => {
    const found = read[index]?.[1];
    return found === value ? [] : [`${what}: the log says ${value}, the read store ${found}`];
  });
}
