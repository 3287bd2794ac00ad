/** Business days in a golden history: a branch cuts, seals and closes days over two partitions, as its deliveries do. */
import { addMonths, dateFromText, type CalendarDate } from '@sluice/domain/day';
import { logpb } from '@sluice/protocol';
import { batch, open, order, post, posting, transfer, update, type Call } from './call';

export const BRANCH = '55';

/** What a branch asks of the accounts of a partition. */
export interface BranchCommand {
  readonly partition: number;
  readonly method: string;
  readonly payload: Uint8Array;
}

/** With two partitions, the first four are in one of them and the others in the other. */
export const DEPOSITORS = ['{even}-savings', '{even}-overdrawn', '{even}-deposit', '{even}-current', '{odd-}-current', '{odd-}-rolling', '{odd-}-abroad'];
const [savings, overdrawn, deposit, current, odd, rolling, abroad] = DEPOSITORS as [string, string, string, string, string, string, string];
const PARTITIONS = [0, 1];

const on = (text: string): CalendarDate => dateFromText(text) as CalendarDate;
const [FRIDAY, MONDAY, TUESDAY] = [on('1996-02-23'), on('1996-02-26'), on('1996-02-27')] as const;
const UNTIL = addMonths(FRIDAY, 1);

const TERMS: logpb.ProductTerms = {
  productId: 'savings',
  dayCount: logpb.DayCount.DAY_COUNT_ACT_365,
  tiers: [
    { fromMinor: 0n, basisPoints: 365 },
    { fromMinor: 50_000n, basisPoints: 417 },
  ],
  debitBasisPoints: 1_800,
  capitalise: false,
  termMonths: 0,
  termDays: 0,
  renews: false,
};
const products = (capitalise: boolean): logpb.ProductTerms[] => [
  { ...TERMS, capitalise },
  { ...TERMS, productId: 'term', termMonths: 1 },
  { ...TERMS, productId: 'rolling', termMonths: 1, renews: true },
];

const everywhere = (method: string, payload: Uint8Array): BranchCommand[] => PARTITIONS.map((partition) => ({ partition, method, payload }));

const cut = (onlineDate: CalendarDate, closedDate: CalendarDate, more: Partial<logpb.SetBranchDay> = {}): BranchCommand[] =>
  everywhere(
    'SetBranchDay',
    logpb.SetBranchDay.encode(
      logpb.SetBranchDay.fromPartial({
        branchId: BRANCH,
        onlineDate,
        closedDate,
        nextDate: onlineDate + 1,
        rollPolicy: logpb.RollPolicy.ROLL_POLICY_BEFORE_POSTING,
        runId: `${BRANCH}/${closedDate}`,
        ...more,
      }),
    ).finish(),
  );

/** The steps behind the cut of a day, two accounts each. */
function closing(date: CalendarDate, nextDate: CalendarDate, capitalise: boolean): BranchCommand[] {
  const steps = [0n, 2n].map((from) => ({ branchId: BRANCH, date, nextDate, from, limit: 2, terms: products(capitalise) }));
  return [
    ...everywhere('CountOutstanding', logpb.CountOutstanding.encode({ branchId: BRANCH, date }).finish()),
    ...everywhere('SealBranchDay', logpb.SealBranchDay.encode({ branchId: BRANCH, date }).finish()),
    ...steps.flatMap((step) => everywhere('RollAccounts', logpb.RollAccounts.encode(step).finish())),
    ...steps.flatMap((step) => everywhere('AccrueInterest', logpb.AccrueInterest.encode(step).finish())),
    ...steps.flatMap((step) => everywhere('TotalAccounts', logpb.TotalAccounts.encode(step).finish())),
  ];
}

const maturing = (date: CalendarDate, nextDate: CalendarDate): BranchCommand[] =>
  everywhere('MatureAccounts', logpb.MatureAccounts.encode({ branchId: BRANCH, date, nextDate, from: 0n, limit: 100, terms: products(false) }).finish());

const OVERDRAFT = { overdraftMinor: 100_000n, maximumBalanceMinor: undefined, maximumPostingMinor: undefined, allowedTypes: [] };

export const DAY_CALLS: readonly (Call | BranchCommand)[] = [
  open({ accountId: savings, branchId: BRANCH, product: 'savings' }),
  open({ accountId: overdrawn, branchId: BRANCH, product: 'savings', limits: OVERDRAFT }),
  post(posting('CREDIT', savings, 'before there were dates', 5_000n)),
  ...cut(FRIDAY, FRIDAY - 1, { runId: '' }),
  open({ accountId: deposit, branchId: BRANCH, product: 'term', linkedAccountId: odd }),
  open({ accountId: current, branchId: BRANCH, product: 'current' }),
  open({ accountId: odd, branchId: BRANCH, product: 'current' }),
  open({ accountId: rolling, branchId: BRANCH, product: 'rolling' }),
  open({ accountId: abroad }),
  update({ requestId: 'link', accountId: rolling, linkedAccountId: odd }),
  batch([
    posting('CREDIT', savings, 'c1', 95_000n),
    posting('DEBIT', overdrawn, 'd1', 10_000n),
    posting('CREDIT', deposit, 'c1', 100_000n),
    posting('CREDIT', rolling, 'c1', 100_000n),
    posting('CREDIT', current, 'c1', 1_000n, { initiatedDate: '1996-02-20' }),
    posting('HOLD', current, 'h1', 10n),
  ]),
  transfer(order(current, 't1', odd, 100n)),
  transfer(order(current, 't2', savings, 100n)),
  transfer(order(current, 't3', abroad, 50n)),
  transfer(order(current, 't4', '{odd-}-nobody', 50n)),
  ...maturing(FRIDAY, MONDAY),
  ...cut(MONDAY, FRIDAY),
  // Rolled by its first posting behind the cut; the sweep rolls the others.
  post(posting('DEBIT', current, 'd1', 10n)),
  ...closing(FRIDAY, MONDAY, false),
  // Of a day that is sealed.
  post(posting('CREDIT', current, 'straggler', 7n, { initiatedDate: '1996-02-23' })),
  ...cut(TUESDAY, MONDAY, { rollPolicy: logpb.RollPolicy.ROLL_POLICY_AFTER_POSTING }),
  post(posting('DEBIT', current, 'd2', 10n)),
  ...closing(MONDAY, TUESDAY, true),
  ...cut(UNTIL, UNTIL - 1, { runId: '', byHand: true }),
  ...maturing(UNTIL, UNTIL + 1),
  ...cut(UNTIL + 1, UNTIL),
  ...closing(UNTIL, UNTIL + 1, false),
  post(posting('CREDIT', deposit, 'behind its term', 5n)),
];
