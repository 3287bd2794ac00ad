/** `sluice account post | hold | capture | release` */
import type { PostingInput, PostingType } from '@sluice/client';
import type { Command } from 'commander';
import { dateOf, keyBytes, minorUnits, pair, timeUs, wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { postingType } from './posting-type-argument';

interface PostOptions {
  readonly requestId?: string;
  readonly counterparty?: string;
  readonly channel?: string;
  readonly date?: string;
  readonly metadata?: Record<string, string>;
  readonly signingKey?: Uint8Array;
  readonly holdId?: string;
  readonly final?: boolean;
  readonly expiresAt?: number;
  readonly expiresAfter?: number;
}

const DEFAULT_CHANNEL = 'cli';

export function addPostingCommands(account: Command, surroundings: Surroundings): void {
  const post = (posting: PostingInput, command: Command): Promise<void> =>
    withClient(command, surroundings, async (client, output) => {
      const result = await client.accounts.post(posting);
      output.thing(result, [
        ['account', result.accountId],
        ['balance after', `${result.balanceAfterMinor} ${posting.unit}`],
        ['held after', result.heldAfterMinor],
        ['entry', result.entryNumber],
        ['request id', result.requestId],
        ['repeated', result.repeated ? 'yes: this is the first answer again' : undefined],
      ]);
    });
  const plain = (accountId: string, type: PostingType, amountMinor: bigint, unit: string, options: PostOptions): PostingInput => ({
    accountId,
    type,
    amountMinor,
    unit,
    requestId: options.requestId,
    counterparty: options.counterparty,
    channel: options.channel ?? DEFAULT_CHANNEL,
    initiatedDate: options.date,
    metadata: options.metadata,
    signingKey: options.signingKey,
    holdId: options.holdId,
    final: options.final,
    expiresAt: dateOf(options.expiresAt),
    expiresAfterMs: options.expiresAfter === undefined ? undefined : options.expiresAfter * 1_000,
  });

  withPostOptions(account.command('post').description('post to an account'))
    .argument('<account>')
    .argument('<type>', 'CREDIT, DEBIT, HOLD, CAPTURE or RELEASE', postingType)
    .argument('<amount>', 'in minor units, like 2500 for 25.00', minorUnits)
    .argument('<unit>', "the account's unit, like EUR")
    .option('--hold-id <id>', 'the hold, for CAPTURE and RELEASE')
    .option('--final', 'CAPTURE: give what is left of the hold back')
    .addHelpText(
      'after',
      '\nExamples:\n  sluice account post wallet-1 CREDIT 2500 EUR\n  sluice account post wallet-1 DEBIT 300 EUR --request-id order-17 --metadata order=17',
    )
    .action((accountId: string, type: PostingType, amount: bigint, unit: string, options: PostOptions, command: Command) =>
      post(plain(accountId, type, amount, unit, options), command),
    );

  withPostOptions(account.command('hold').description('set an amount aside; the hold’s id is the request id'))
    .argument('<account>')
    .argument('<amount>', 'in minor units', minorUnits)
    .argument('<unit>')
    .option('--expires-at <time>', 'when what is left of it is released by itself (ISO 8601)', timeUs)
    .option('--expires-after <seconds>', 'the same, so many seconds from now', wholeNumber)
    .addHelpText('after', '\nExample:\n  sluice account hold wallet-1 500 EUR --request-id booking-4 --expires-after 900')
    .action((accountId: string, amount: bigint, unit: string, options: PostOptions, command: Command) =>
      post(plain(accountId, 'HOLD', amount, unit, options), command),
    );

  withPostOptions(account.command('capture').description('take a held amount, or a part of it'))
    .argument('<account>')
    .argument('<hold>', 'id of the hold')
    .argument('<amount>', 'in minor units', minorUnits)
    .argument('<unit>')
    .option('--final', 'give what is left of the hold back')
    .addHelpText('after', '\nExample:\n  sluice account capture wallet-1 booking-4 450 EUR --final')
    .action((accountId: string, holdId: string, amount: bigint, unit: string, options: PostOptions, command: Command) =>
      post(plain(accountId, 'CAPTURE', amount, unit, { ...options, holdId }), command),
    );

  withPostOptions(account.command('release').description('give a held amount, or a part of it, back'))
    .argument('<account>')
    .argument('<hold>', 'id of the hold')
    .argument('<amount>', 'in minor units', minorUnits)
    .argument('<unit>')
    .addHelpText('after', '\nExample:\n  sluice account release wallet-1 booking-4 500 EUR')
    .action((accountId: string, holdId: string, amount: bigint, unit: string, options: PostOptions, command: Command) =>
      post(plain(accountId, 'RELEASE', amount, unit, { ...options, holdId }), command),
    );
}

function withPostOptions(command: Command): Command {
  return command
    .option('--request-id <id>', 'id of this request; made when not given; the same again gets the first answer again')
    .option('--counterparty <text>', 'the other side, for people')
    .option('--channel <channel>', `channel (default ${DEFAULT_CHANNEL})`)
    .option('--date <date>', 'business date at which it was initiated, YYYY-MM-DD')
    .option('--metadata <key=value>', 'a free pair; may be repeated', pair)
    .option('--signing-key <hex>', "the account's key, where its postings are signed", keyBytes);
}
