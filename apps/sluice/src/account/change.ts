/** `sluice account update | freeze | unfreeze | close` */
import type { CommandResult, SluiceClient, StatusChange } from '@sluice/client';
import type { Command } from 'commander';
import { keyBytes } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { UsageError } from '../exit-code';
import { resultPairs } from './account-view';
import { addLimitOptions, hasLimits, type LimitOptions, limitsOf } from './limit-options';

interface UpdateOptions extends LimitOptions {
  readonly product?: string;
  readonly linkedAccount?: string;
  readonly signingKey?: Uint8Array;
  readonly requestId?: string;
}

export function addChangeCommands(account: Command, surroundings: Surroundings): void {
  const update = account
    .command('update')
    .description('change limits, product, linked account or signing key')
    .argument('<account>')
    .option('--product <product>', 'product code')
    .option('--linked-account <account>', "gets principal and interest when a term ends; '' for none")
    .option('--signing-key <hex>', "a new key, 16 to 64 bytes; '' for none", keyBytes)
    .option('--request-id <id>', 'id of this request; made when not given');
  addLimitOptions(update);
  update
    .addHelpText(
      'after',
      "\nLimits that are not named stay as they are.\n\nExamples:\n  sluice account update wallet-1 --overdraft 5000\n  sluice account update wallet-1 --maximum-posting none --allow ''",
    )
    .action((accountId: string, options: UpdateOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const { requestId, product, linkedAccount: linkedAccountId, signingKey } = options;
        if (!hasLimits(options) && product === undefined && signingKey === undefined && linkedAccountId === undefined)
          throw new UsageError('say what to change: a limit, --product, --linked-account or --signing-key');
        const limits = hasLimits(options) ? limitsOf(options, (await client.accounts.get(accountId)).limits) : undefined;
        const result = await client.accounts.update({ requestId, accountId, limits, product, linkedAccountId, signingKey });
        output.thing(result, resultPairs(result));
      }),
    );

  const addStatusCommand = (name: string, description: string, change: (client: SluiceClient, input: StatusChange) => Promise<CommandResult>): void => {
    account
      .command(name)
      .description(description)
      .argument('<account>')
      .option('--note <text>', 'why, for people')
      .option('--request-id <id>', 'id of this request; made when not given')
      .addHelpText('after', `\nExample:\n  sluice account ${name} wallet-1 --note "as asked by its owner"`)
      .action((accountId: string, options: { readonly note?: string; readonly requestId?: string }, command: Command) =>
        withClient(command, surroundings, async (client, output) => {
          const result = await change(client, { accountId, ...options });
          output.thing(result, resultPairs(result));
        }),
      );
  };
  addStatusCommand('freeze', 'freeze an account: only CREDIT and RELEASE from now on', (client, input) => client.accounts.freeze(input));
  addStatusCommand('unfreeze', 'open a frozen account again', (client, input) => client.accounts.unfreeze(input));
  addStatusCommand('close', 'close an account for ever; balance 0, no holds', (client, input) => client.accounts.close(input));
}
