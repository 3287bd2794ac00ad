/**
 * Which account is hottest. Counting every account would cost as much as projecting it, so only the busiest one of each
 * flush is counted: whoever is hot over a period is the busiest of many of its flushes.
 */
import type { Clock } from '@sluice/ports';

const PERIOD_US = 5_000_000;
/** Accounts counted in a period; beyond it new ones are not. */
const MAXIMUM_ACCOUNTS = 1_000;

export class BusiestAccount {
  private current = new Map<string, number>();
  private previous = new Map<string, number>();
  private periodStartUs: number;

  constructor(private readonly clock: Clock) {
    this.periodStartUs = clock.nowUs();
  }

  count(accountId: string, postings: number): void {
    this.turnPeriod();
    const known = this.current.get(accountId);
    if (known === undefined && this.current.size >= MAXIMUM_ACCOUNTS) return;
    this.current.set(accountId, (known ?? 0) + postings);
  }

  /** The hottest one of this period and the one before; undefined: none had postings. */
  hottest(): string | undefined {
    this.turnPeriod();
    let hottest: string | undefined;
    let most = 0;
    for (const [accountId, postings] of [...this.current, ...this.previous]) {
      const total = postings + (this.current.has(accountId) ? (this.previous.get(accountId) ?? 0) : 0);
      if (total > most) {
        most = total;
        hottest = accountId;
      }
    }
    return hottest;
  }

  private turnPeriod(): void {
    const periods = Math.floor((this.clock.nowUs() - this.periodStartUs) / PERIOD_US);
    if (periods <= 0) return;
    this.previous = periods === 1 ? this.current : new Map<string, number>();
    this.current = new Map();
    this.periodStartUs += periods * PERIOD_US;
  }
}
