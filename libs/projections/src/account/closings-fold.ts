/**
 * The closing balances of one account in a flush: what each event says of its last-day balance becomes its stated day, and a row for each date that closes with
 * another balance than the date before.
 *
 *   last-day date L, dates before it known since B        B ……… L
 *   a later date ends        L := that date, B := the L before; a row if the balance is another one
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

export class ClosingsFold {
  private readonly changed = new Map<CalendarDate, { readonly balanceMinor: bigint; readonly sequence: number }>();

  /** The day after the statement. Throws for a posting of a date whose closing balance is not known any more. */
  take(known: StatedDay | undefined, statement: DayStatement): StatedDay {
    const { sequence, date, balanceMinor, booked, behindSetDates } = statement;
    const closedWith = known?.balanceMinor ?? statement.balanceBeforeMinor;
    const isSetBack = known !== undefined && date < known.date;
    let before = this.before(known, statement);
    if (booked !== undefined && booked.deltaMinor !== 0n && known?.date === date && booked.date < date) {
      if (before === undefined || booked.date < before.date)
        throw new Error(`a posting of date ${booked.date} changes a closing balance that is not kept, behind ${date}`);
      before = { date: booked.date, balanceMinor: before.balanceMinor + booked.deltaMinor, sequence };
      this.changed.set(before.date, before);
    }
    const isOther = balanceMinor !== closedWith;
    if (isOther || isSetBack || behindSetDates) this.changed.set(date, { balanceMinor, sequence });
    return {
      date,
      balanceMinor,
      sequence,
      before,
      updatedAtUs: isOther ? statement.committedAtUs : (known?.updatedAtUs ?? 0),
      balanceDate: booked?.accepted === true ? booked.date : known?.balanceDate,
      behindSetDates,
    };
  }

  private before(known: StatedDay | undefined, { sequence, date, balanceBeforeMinor }: DayStatement): StatedDay['before'] {
    if (known === undefined) return { date: FIRST_DATE, balanceMinor: balanceBeforeMinor, sequence };
    if (date === known.date) return known.before;
    return date < known.date ? undefined : { date: known.date, balanceMinor: known.balanceMinor, sequence: known.sequence };
  }

  writes(partition: number, accountId: string): RowWrite[] {
    return [...this.changed].map(([date, { balanceMinor, sequence }]) => ({
      kind: 'put',
      collection: CLOSING_BALANCES.name,
      row: { closing_id: closingId(partition, accountId, date), account_id: accountId, date, balance_minor: balanceMinor, sequence },
    }));
  }
}
