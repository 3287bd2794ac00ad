/** Defects of business days. */
import { AccountDays } from '../../../apps/command/src/account/days/account-days';
import { GroupDay } from '../../../apps/command/src/account/days/group-day';
import type { Defect } from '../defects/defect';
import { replaceMethod } from '../defects/replace-method';

export const businessDayDefects = {
  'close-with-the-balance-of-now': {
    what: 'Interest and totals of a closed date take the real-time balance of an account that has postings behind the cut.',
    foundWithin: 10,
    workload: 'business-days',
    plant: () =>
      replaceMethod(
        AccountDays.prototype,
        'closingBalance',
        () =>
          function (this: AccountDays, ordinal: number) {
            return this.day(ordinal).balanceMinor;
          },
      ),
  },
  'date-a-leg-with-its-neighbours': {
    what: 'A leg of a transfer gets the date of the postings of its account that are decided in the same turn.',
    foundWithin: 40,
    workload: 'business-days',
    plant: () => replaceMethod(GroupDay.prototype, 'takes', () => () => true),
  },
} satisfies Record<string, Defect>;
