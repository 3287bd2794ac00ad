/** `sluice account get | list | entries | balance-at`: from the read store. */
import type { Account, AccountStatus, BalanceAt, Entry, Moment } from '@sluice/client';
import { type Command, Option } from 'commander';
import { calendarDate, sequenceNumber, timeUs, wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { UsageError } from '../exit-code';
import { type Cell, timeText } from '../output';
import { accountPairs, lastDayText } from './account-view';
import { firstOf, pageOf } from '../listing';

const DEFAULT_SHOWN = 100;

interface ListOptions {
  readonly branch?: string;
  readonly product?: string;
  readonly status?: AccountStatus;
  readonly unit?: string;
  readonly limit: number;
}

interface EntriesOptions {
  readonly oldestFirst?: boolean;
  readonly from?: number;
  readonly to?: number;
  readonly refusals?: boolean;
  readonly limit: number;
}

interface MomentOptions {
  readonly time?: number;
  readonly sequence?: bigint;
  readonly businessDate?: string;
}

export function addReadCommands(account: Command, surroundings: Surroundings): void {
  account
    .command('get')
    .description('show an account')
    .argument('<account>')
    .addHelpText('after', '\nExamples:\n  sluice account get wallet-1\n  sluice account get wallet-1 --json')
    .action((accountId: string, _options: unknown, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const found = await client.accounts.get(accountId);
        output.thing(found, accountPairs(found));
      }),
    );

  account
    .command('list')
    .description('list accounts by id')
    .option('--branch <branch>', 'only this branch')
    .option('--product <product>', 'only this product')
    .addOption(new Option('--status <status>', 'only this status').choices(['OPEN', 'FROZEN', 'CLOSED']))
    .option('--unit <unit>', 'only this unit')
    .option('--limit <count>', 'at most so many; 0: all', wholeNumber, DEFAULT_SHOWN)
    .addHelpText('after', '\nExamples:\n  sluice account list\n  sluice account list --branch 55 --status OPEN --limit 0 --json')
    .action((options: ListOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const { branch: branchId, product, status, unit, limit } = options;
        const accounts = await firstOf(limit, client.accounts.list({ branchId, product, status, unit }, pageOf(limit)));
        output.table<Account>(accounts, {
          account: (row) => row.accountId,
          balance: (row) => row.balanceMinor,
          held: (row) => row.heldMinor,
          available: (row) => row.availableMinor,
          unit: (row) => row.unit,
          status: (row) => row.status,
          branch: (row) => row.branchId,
          entries: (row) => row.entryCount,
          ...(accounts.some(({ lastDayDate }) => lastDayDate !== '') ? { 'last day': lastDayText } : undefined),
          updated: (row) => timeText(row.balanceUpdatedAtUs),
        });
      }),
    );

  account
    .command('entries')
    .description('show the statement of an account, newest first')
    .argument('<account>')
    .option('--oldest-first', 'oldest first')
    .option('--from <time>', 'committed at or after this time (ISO 8601)', timeUs)
    .option('--to <time>', 'committed before this time (ISO 8601)', timeUs)
    .option('--refusals', 'also recorded refusals')
    .option('--limit <count>', 'at most so many; 0: all', wholeNumber, DEFAULT_SHOWN)
    .addHelpText(
      'after',
      '\nExamples:\n  sluice account entries wallet-1 --limit 10\n  sluice account entries wallet-1 --from 2026-01-01 --to 2026-02-01 --oldest-first --limit 0',
    )
    .action((accountId: string, options: EntriesOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const { oldestFirst, from, to, refusals, limit } = options;
        const filter = { order: oldestFirst === true ? ('OLDEST_FIRST' as const) : ('NEWEST_FIRST' as const), from, to, includeRejections: refusals };
        const entries = await firstOf(limit, client.accounts.entries(accountId, filter, pageOf(limit)));
        output.table<Entry>(entries, {
          entry: (row) => (row.rejection === '' ? row.entryNumber : undefined),
          type: (row) => row.type,
          origin: (row) => (row.origin === 'POSTING' ? undefined : row.origin),
          'other side': (row) => otherSide(row),
          amount: (row) => row.amountMinor,
          'balance after': (row) => row.balanceAfterMinor,
          held: (row) => row.heldAfterMinor,
          ...(entries.some(({ businessDate }) => businessDate !== '') ? { 'business date': bookedAt } : undefined),
          committed: (row) => timeText(row.committedAtUs),
          'request id': (row) => row.requestId,
          ...(refusals === true ? { refused: (row: Entry) => row.rejection } : undefined),
        });
      }),
    );

  account
    .command('balance-at')
    .description('show the balance right after a past moment, or at the end of a business date')
    .argument('<account>')
    .option('--time <time>', 'a commit time (ISO 8601)', timeUs)
    .option('--sequence <sequence>', "a sequence of the account's partition", sequenceNumber)
    .option('--business-date <date>', "a business date of the account's branch, like 2026-01-31", calendarDate)
    .addHelpText(
      'after',
      '\nExamples:\n  sluice account balance-at wallet-1 --time 2026-01-31T23:59:59Z\n  sluice account balance-at wallet-1 --sequence 120\n  sluice account balance-at wallet-1 --business-date 2026-01-30',
    )
    .action((accountId: string, options: MomentOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const moment = momentOf(options);
        const balance = await client.accounts.balanceAt(accountId, moment);
        output.thing(balance, [
          ['account', balance.accountId],
          ['balance', `${balance.balanceMinor} ${balance.unit}`],
          ...('businessDate' in moment ? [['closed', moment.businessDate] as const] : reachedPairs(balance)),
        ]);
      }),
    );
}

function momentOf({ time, sequence, businessDate }: MomentOptions): Moment {
  const moments: Moment[] = [];
  if (time !== undefined) moments.push({ time });
  if (sequence !== undefined) moments.push({ sequence });
  if (businessDate !== undefined) moments.push({ businessDate });
  const [moment, another] = moments;
  if (moment === undefined || another !== undefined) throw new UsageError('say --time, --sequence or --business-date');
  return moment;
}

/** What is known of a moment that is no business date. */
function reachedPairs(balance: BalanceAt): (readonly [string, Cell])[] {
  return [
    ['held', balance.heldMinor],
    ['last entry', balance.entryNumber],
    ['reached', timeText(balance.committedAtUs)],
    ['sequence', balance.sequence],
  ];
}

/** The business date at which it is booked, and at which it was initiated where that is another one. */
function bookedAt({ businessDate, initiatedDate }: Entry): string {
  return businessDate === '' || businessDate === initiatedDate ? businessDate : `${businessDate} (${initiatedDate})`;
}

/** Of a leg of a transfer. */
function otherSide({ accountId, fromAccountId, toAccountId }: Entry): string | undefined {
  return fromAccountId === '' ? undefined : accountId === fromAccountId ? toAccountId : fromAccountId;
}
