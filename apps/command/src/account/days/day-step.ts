/**
 * A step of a job: looks at the accounts that a branch has in the partition from a place on, until it has looked at as many as it may or records as much as it may. The next step goes on where
 * it ended, behind what callers have asked for meanwhile.
 */
import type { Turn } from '@sluice/engine';
import type { logpb } from '@sluice/protocol';
import { stepDone, stepOf, type DayStep } from './day-commands';
import type { JobAccounts } from './job-accounts';
import { reasonOf, type SetAsideFault } from './set-aside-reasons';

/** What a step records and answers at most, and one account more. */
const STEP_BYTES = 256 << 10;
/** An account that is set aside, beside its id. */
const SET_ASIDE_BYTES = 192;

const NO_ACCOUNTS: DayStep = { ordinals: [], lookedAt: 0, next: 0, complete: true, accounts: 0 };

export interface AskedStep {
  readonly branchId: string;
  /** Where to begin among the accounts of the branch. */
  readonly from: bigint;
  /** Accounts that the step looks at, at most. */
  readonly limit: number;
}

export class JobStep {
  private changed = 0;
  private bytes = 0;
  private readonly setAside: logpb.SetAsideAccount[] = [];

  constructor(
    private readonly accounts: JobAccounts,
    private readonly asked: AskedStep,
    private readonly turn: Turn,
  ) {}

  /** The account is changed, which takes so much of the commit. */
  change(bytes: number): void {
    this.changed += 1;
    this.bytes += bytes;
  }

  /** So much of the verdict is taken by something else. */
  answer(bytes: number): void {
    this.bytes += bytes;
  }

  /** The account could not be done. The others go on. */
  putAside(accountId: string, fault: SetAsideFault): void {
    this.setAside.push({ accountId, reason: reasonOf(fault) });
    this.bytes += accountId.length + SET_ASIDE_BYTES;
  }

  /** Visits the accounts, by their ordinals. Returns whether these were the last ones, and the verdict, to which sums may be added. */
  over(visit: (ordinal: number) => void): { readonly complete: boolean; verdict(totals?: logpb.DayTotal[]): Uint8Array } {
    const { branchId, from, limit } = this.asked;
    const { turn } = this;
    const { days, room } = this.accounts;
    // A branch without dates has no days to be closed.
    const range = days.branch(branchId) === undefined ? NO_ACCOUNTS : stepOf(days, branchId, from, limit);
    const most = Math.min(STEP_BYTES, room.left(turn));
    let lookedAt = 0;
    for (const ordinal of range.ordinals) {
      if (this.bytes >= most) break;
      visit(ordinal);
      lookedAt += 1;
    }
    room.take(turn, this.bytes);
    const next = range.next - range.lookedAt + lookedAt;
    const complete = next === range.accounts;
    const { changed, setAside } = this;
    return { complete, verdict: (totals = []) => stepDone({ ...range, lookedAt, next, complete }, { changed: BigInt(changed), setAside, totals }) };
  }
}
