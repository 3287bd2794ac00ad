/**
 * A step of the sweep or of a job: looks at the accounts that a branch has in the partition from a place on, until it has looked at as many as it may or records as much as it may. The next
 * step goes on where it ended, behind what callers have asked for meanwhile.
 */
import type { Turn } from '@sluice/engine';
import { logpb } from '@sluice/protocol';
import type { AccountDays } from './account-days';

/** Accounts that a step looks at, at most, whatever it is asked for: a step lets callers' turns pass. */
const LARGEST_STEP = 10_000;
/** What a step records and answers at most, and one account more. */
const STEP_BYTES = 256 << 10;
/** An account that is set aside, beside its id. */
const SET_ASIDE_BYTES = 192;

export interface AskedStep {
  readonly branchId: string;
  /** Where to begin among the accounts of the branch. */
  readonly from: bigint;
  /** Accounts that the step looks at, at most. */
  readonly limit: number;
}

export class DayStep {
  /** Where the next step begins. */
  next = 0;
  /** Nothing is left to do in this partition. */
  complete = true;
  lookedAt = 0;
  private accounts = 0;
  private changed = 0;
  private bytes = 0;
  private readonly setAside: logpb.SetAsideAccount[] = [];

  constructor(
    private readonly days: AccountDays,
    private readonly asked: AskedStep,
    private readonly turn: Turn,
  ) {}

  /** The account is changed, which takes so much of the commit. */
  change(bytes: number): void {
    this.changed += 1;
    this.bytes += bytes;
  }

  /** So much of the commit or of the verdict is taken by something else. */
  takeRoom(bytes: number): void {
    this.bytes += bytes;
  }

  /** The account could not be done. The others go on. */
  putAside(accountId: string, reason: string): void {
    this.setAside.push({ accountId, reason });
    this.bytes += accountId.length + SET_ASIDE_BYTES;
  }

  /** Visits the accounts, by their ordinals. A branch without dates has no days to be closed. */
  over(visit: (ordinal: number) => void): void {
    const { days, turn } = this;
    const { branchId, from, limit } = this.asked;
    if (days.branch(branchId) === undefined) return;
    const ordinals = days.ordinalsOf(branchId);
    const begin = Math.min(Number(from), ordinals.length);
    const end = Math.min(begin + Math.max(1, Math.min(limit, LARGEST_STEP)), ordinals.length);
    const most = Math.min(STEP_BYTES, days.turnRoom.left(turn));
    let place = begin;
    for (; place < end && this.bytes < most; place += 1) visit(ordinals.at(place));
    days.turnRoom.take(turn, this.bytes);
    this.next = place;
    this.complete = place === ordinals.length;
    this.lookedAt = place - begin;
    this.accounts = ordinals.length;
  }

  /** The encoded DayStepDone. */
  verdict(totals: logpb.DayTotal[] = []): Uint8Array {
    const { next, complete, accounts, lookedAt, changed, setAside } = this;
    return logpb.DayStepDone.encode({
      next: BigInt(next),
      complete,
      accounts: BigInt(accounts),
      lookedAt: BigInt(lookedAt),
      changed: BigInt(changed),
      totals,
      setAside,
    }).finish();
  }
}
