/**
 * The closing balances of one account in a flush: what each event says of its last-day balance becomes its stated day, and a row for each date that closes with
 * another balance than the date before.
 *
 *   last-day date L, dates before it known since B        B ……… L
 *   a later date ends        L := that date, B := the L before; a row if the balance is another one. Where the account was rolled by two dates at once (by an early
 *                            leg, before the sweep came), the row stands at the date at which it had postings, which is B
 *   the balance of L changes (a late leg, the batch)       a row at L
 *   a posting of a date before L (the account was rolled ahead by a leg of a branch that has cut already)
 *                                                          a row at that date, which is B from then on, and one at L
 *   dates were set back by hand                            a row at the date; what was closed behind it holds no longer (account-branch-days.ts)
 */
import { FIRST_DATE, type CalendarDate } from '@sluice/domain/day';
import type { RowWrite } from '@sluice/ports';
import { closingId } from './closing-id';
import { CLOSING_BALANCES } from './collections';
import type { StatedDay } from './stated-day';

/** What an event says of an account's day. */
export interface DayStatement {
  readonly sequence: number;
  readonly committedAtUs: number;
  /** Last-day date and last-day balance, after the event. */
  readonly date: CalendarDate;
  readonly balanceMinor: bigint;
  /** Real-time balance before it: that of an account that no event named before is its last-day balance. */
  readonly balanceBeforeMinor: bigint;
  /** Of postings: the date at which they are booked, by what they change the balance, and whether one was accepted. */
  readonly booked: { readonly date: CalendarDate; readonly deltaMinor: bigint; readonly accepted: boolean } | undefined;
  /** The commit set dates by hand, or for the first time, before it. */
  readonly behindSetDates: boolean;
}

/** What the dates before the statement's closed with. */
interface Earlier {
  readonly before: StatedDay['before'];
  /** What the statement's date closes with unless it says otherwise; undefined: that is not known. */
  readonly closesWith: bigint | undefined;
}

export class ClosingsFold {
  private readonly changed = new Map<CalendarDate, { readonly balanceMinor: bigint; readonly sequence: number }>();

  /** The day after the statement. Throws for a posting of a date whose closing balance is not known any more. */
  take(known: StatedDay | undefined, statement: DayStatement): StatedDay {
    const { sequence, committedAtUs, date, balanceMinor, balanceBeforeMinor, booked, behindSetDates } = statement;
    const { before, closesWith } = known === undefined ? firstSaid(statement) : this.earlier(known, statement);
    if (balanceMinor !== closesWith || behindSetDates) this.changed.set(date, { balanceMinor, sequence });
    return {
      date,
      balanceMinor,
      sequence,
      before,
      updatedAtUs: balanceMinor === (known?.balanceMinor ?? balanceBeforeMinor) ? (known?.updatedAtUs ?? 0) : committedAtUs,
      balanceDate: booked?.accepted === true ? booked.date : known?.balanceDate,
      openDate: openDateOf(known, statement),
      behindSetDates,
    };
  }

  private earlier(known: StatedDay, statement: DayStatement): Earlier {
    const { date } = statement;
    if (date < known.date) return { before: undefined, closesWith: undefined };
    return date > known.date ? this.rolled(known, statement) : this.belated(known, statement);
  }

  /** A later date has ended: that at which postings were booked behind the last-day date, or one behind it. */
  private rolled(known: StatedDay, { sequence, date, balanceBeforeMinor }: DayStatement): Earlier {
    const { openDate = date } = known;
    if (openDate >= date) {
      // A copy: the day itself would keep the one before it, and so on.
      return { before: { date: known.date, balanceMinor: known.balanceMinor, sequence: known.sequence }, closesWith: known.balanceMinor };
    }
    const before = { date: openDate, balanceMinor: balanceBeforeMinor, sequence };
    if (balanceBeforeMinor !== known.balanceMinor) this.changed.set(openDate, before);
    return { before, closesWith: balanceBeforeMinor };
  }

  /** The date is the last-day date still; the posting may be of an earlier one. */
  private belated(known: StatedDay, { sequence, date, booked }: DayStatement): Earlier {
    const { before } = known;
    if (booked === undefined || booked.deltaMinor === 0n || booked.date >= date) return { before, closesWith: known.balanceMinor };
    if (before === undefined || booked.date < before.date)
      throw new Error(`a posting of date ${booked.date} changes a closing balance that is not kept, behind ${date}`);
    const changed = { date: booked.date, balanceMinor: before.balanceMinor + booked.deltaMinor, sequence };
    this.changed.set(changed.date, changed);
    return { before: changed, closesWith: known.balanceMinor };
  }

  writes(partition: number, accountId: string): RowWrite[] {
    return [...this.changed].map(([date, { balanceMinor, sequence }]) => ({
      kind: 'put',
      collection: CLOSING_BALANCES.name,
      row: { closing_id: closingId(partition, accountId, date), account_id: accountId, date, balance_minor: balanceMinor, sequence },
    }));
  }
}

/** The account has had the balance since it was opened, or since dates were set. */
function firstSaid({ sequence, balanceBeforeMinor }: DayStatement): Earlier {
  return { before: { date: FIRST_DATE, balanceMinor: balanceBeforeMinor, sequence }, closesWith: balanceBeforeMinor };
}

function openDateOf(known: StatedDay | undefined, { date, booked }: DayStatement): StatedDay['openDate'] {
  if (booked !== undefined && booked.deltaMinor !== 0n && booked.date > date) return booked.date;
  return known?.openDate !== undefined && known.openDate > date && known.date <= date ? known.openDate : undefined;
}
