/** `sluice account open` */
import type { Command } from 'commander';
import { keyBytes } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { resultPairs } from './account-view';
import { addLimitOptions, type LimitOptions, limitsOf } from './limit-options';

interface OpenOptions extends LimitOptions {
  readonly branch?: string;
  readonly product?: string;
  readonly linkedAccount?: string;
  readonly signingKey?: Uint8Array;
  readonly requestId?: string;
}

export function addOpenCommand(account: Command, surroundings: Surroundings): void {
  const open = account
    .command('open')
    .description('open an account')
    .argument('<account>', 'its id; {like-this}-1 keeps accounts with the same braces together')
    .argument('<unit>', 'currency or asset code, like EUR')
    .option('--branch <branch>', 'branch that it belongs to')
    .option('--product <product>', 'product code')
    .option('--linked-account <account>', 'gets principal and interest when a term ends')
    .option('--signing-key <hex>', 'key that signs its postings, 16 to 64 bytes', keyBytes)
    .option('--request-id <id>', 'id of this request; made when not given');
  addLimitOptions(open);
  open
    .addHelpText(
      'after',
      `
Examples:
  sluice account open wallet-1 EUR
  sluice account open shop-7 EUR --branch 55 --overdraft 10000 --allow CREDIT,DEBIT`,
    )
    .action((accountId: string, unit: string, options: OpenOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const { requestId, branch: branchId, product, linkedAccount: linkedAccountId, signingKey } = options;
        const result = await client.accounts.open({ requestId, accountId, unit, branchId, product, linkedAccountId, limits: limitsOf(options), signingKey });
        output.thing(result, resultPairs(result));
      }),
    );
}
