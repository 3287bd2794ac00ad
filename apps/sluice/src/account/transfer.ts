/** `sluice account transfer | transfers` */
import type { Transfer, TransferState } from '@sluice/client';
import { type Command, Option } from 'commander';
import { keyBytes, minorUnits, pair, wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { UsageError } from '../exit-code';
import { timeText } from '../output';
import { firstOf, pageOf } from '../listing';

const DEFAULT_CHANNEL = 'cli';
const DEFAULT_SHOWN = 100;

interface TransferOptions {
  readonly requestId?: string;
  readonly channel?: string;
  readonly date?: string;
  readonly metadata?: Record<string, string>;
  readonly signingKey?: Uint8Array;
}

interface TransfersOptions {
  readonly from?: string;
  readonly to?: string;
  readonly state?: TransferState;
  readonly requestId?: string;
  readonly limit: number;
}

export function addTransferCommands(account: Command, surroundings: Surroundings): void {
  account
    .command('transfer')
    .description('move an amount from one account to another')
    .argument('<from>', 'the account to be debited')
    .argument('<to>', 'the account to be credited')
    .argument('<amount>', 'in minor units, like 2500 for 25.00', minorUnits)
    .argument('<unit>', 'the unit of both, like EUR')
    .option('--request-id <id>', 'id of this request; made when not given; the same again gets the first answer again')
    .option('--channel <channel>', `channel (default ${DEFAULT_CHANNEL})`)
    .option('--date <date>', 'business date at which it was initiated, YYYY-MM-DD')
    .option('--metadata <key=value>', 'a free pair; may be repeated', pair)
    .option('--signing-key <hex>', "the debited account's key, where its postings are signed", keyBytes)
    .addHelpText('after', '\nExample:\n  sluice account transfer wallet-1 wallet-2 2500 EUR --request-id rent-may')
    .action((fromAccountId: string, toAccountId: string, amountMinor: bigint, unit: string, options: TransferOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const { requestId, channel = DEFAULT_CHANNEL, date: initiatedDate, metadata, signingKey } = options;
        const result = await client.accounts.transfer({
          fromAccountId,
          toAccountId,
          amountMinor,
          unit,
          requestId,
          channel,
          initiatedDate,
          metadata,
          signingKey,
        });
        output.thing(result, [
          ['from', result.fromAccountId],
          ['to', result.toAccountId],
          ['state', result.state],
          ['balance after', `${result.balanceAfterMinor} ${unit}`],
          ['entry', result.entryNumber],
          ['request id', result.requestId],
          ['repeated', result.repeated ? 'yes: this is the first answer again' : undefined],
        ]);
      }),
    );

  account
    .command('transfers')
    .description('list transfers, newest first, or show one by its request id')
    .option('--from <account>', 'only from this account')
    .option('--to <account>', 'only to this account')
    .addOption(new Option('--state <state>', 'only in this state').choices(['PENDING', 'SETTLED', 'REFUNDED']))
    .option('--request-id <id>', 'only this one, with --from')
    .option('--limit <count>', 'at most so many; 0: all', wholeNumber, DEFAULT_SHOWN)
    .addHelpText('after', '\nExamples:\n  sluice account transfers --from wallet-1\n  sluice account transfers --state PENDING --limit 0 --json')
    .action((options: TransfersOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const { from: fromAccountId, to: toAccountId, state, requestId, limit } = options;
        if (requestId !== undefined) {
          if (fromAccountId === undefined) throw new UsageError('say --from: a request id is one of the debited account');
          const transfer = await client.accounts.getTransfer(fromAccountId, requestId);
          output.thing(transfer, transferPairs(transfer));
          return;
        }
        if (fromAccountId === undefined && toAccountId === undefined && state === undefined) throw new UsageError('say --from, --to or --state');
        const transfers = await firstOf(limit, client.accounts.transfers({ fromAccountId, toAccountId, state }, pageOf(limit)));
        output.table<Transfer>(transfers, {
          from: (row) => row.fromAccountId,
          to: (row) => row.toAccountId,
          amount: (row) => row.amountMinor,
          unit: (row) => row.unit,
          state: (row) => row.state,
          refused: refusal,
          created: (row) => timeText(row.createdAtUs),
          'request id': (row) => row.requestId,
        });
      }),
    );
}

function refusal({ rejection, targetReason }: Transfer): string {
  return targetReason === '' ? rejection : `${rejection}: ${targetReason}`;
}

function transferPairs(transfer: Transfer): (readonly [string, string | number | bigint | undefined])[] {
  return [
    ['from', transfer.fromAccountId],
    ['to', transfer.toAccountId],
    ['amount', `${transfer.amountMinor} ${transfer.unit}`],
    ['state', transfer.state],
    ['refused', refusal(transfer)],
    ['created', timeText(transfer.createdAtUs)],
    ['settled', transfer.settledAtUs === undefined ? undefined : timeText(transfer.settledAtUs)],
    ['request id', transfer.requestId],
    ['partition', `${transfer.partition}, sequence ${transfer.sequence}`],
  ];
}
