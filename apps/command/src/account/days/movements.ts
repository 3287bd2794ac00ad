/** What was posted to the accounts of a branch in a partition, by date, product, unit and contra line: the totals of a day are compared with the balances by them. */
import type { CalendarDate } from '@sluice/domain/day';

/** Accounts of one product and unit. */
export interface AccountClass {
  readonly branchId: string;
  readonly product: string;
  readonly unit: string;
}

export interface Movement {
  readonly date: CalendarDate;
  readonly accounts: AccountClass;
  /** As in sluice.log.v1.ContraLine. */
  readonly line: number;
  /** What the postings took from accounts, minor units. */
  debitMinor: bigint;
  /** What they added. */
  creditMinor: bigint;
  count: number;
}

/** More lines than there will ever be. */
const LINES = 16;

export class Movements {
  private readonly dates = new Map<CalendarDate, Map<number, Movement>>();

  /** @param classNumber of the accounts, unique in the partition. */
  add(date: CalendarDate, classNumber: number, accounts: AccountClass, line: number, debitMinor: bigint, creditMinor: bigint, count: number): void {
    let ofDate = this.dates.get(date);
    if (ofDate === undefined) {
      ofDate = new Map();
      this.dates.set(date, ofDate);
    }
    const key = classNumber * LINES + line;
    const known = ofDate.get(key);
    if (known === undefined) {
      ofDate.set(key, { date, accounts, line, debitMinor, creditMinor, count });
      return;
    }
    known.debitMinor += debitMinor;
    known.creditMinor += creditMinor;
    known.count += count;
  }

  /** Those of dates up to this one. */
  until(date: CalendarDate): Movement[] {
    return [...this.dates].filter(([at]) => at <= date).flatMap(([, ofDate]) => [...ofDate.values()]);
  }

  forgetUntil(date: CalendarDate): void {
    for (const at of [...this.dates.keys()]) if (at <= date) this.dates.delete(at);
  }

  get all(): Movement[] {
    return [...this.dates.values()].flatMap((ofDate) => [...ofDate.values()]);
  }
}
