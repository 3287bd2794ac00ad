/** `sluice contest gift` */
import type { Command } from 'commander';
import { minorUnits, timeUs, wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { againText } from '../output';

interface GiftOptions {
  readonly points?: number;
  readonly scoredAt?: number;
  readonly requestId?: string;
}

export function addGiftCommand(contest: Command, surroundings: Surroundings): void {
  contest
    .command('gift')
    .description('debit an account, and score for a member')
    .argument('<contest>')
    .argument('<account>', 'the member that scores')
    .argument('<giver>', 'the account that is debited')
    .argument('<amount>', 'in minor units', minorUnits)
    .argument('<unit>', 'of the giver')
    .option('--points <points>', 'that the gift scores (default: as many as the amount)', wholeNumber)
    .option('--scored-at <time>', 'when it was given (ISO 8601); the operator LATEST demands it', timeUs)
    .option('--request-id <id>', "id of this gift, unique in the giver's account; made when not given")
    .addHelpText(
      'after',
      '\nA gift that the contest refuses is refunded: "sluice transfer get GIVER REQUEST" says how it stands.\n\nExample:\n  sluice contest gift cup ada wallet-1 500 EUR',
    )
    .action((contestId: string, accountId: string, giverAccountId: string, amountMinor: bigint, unit: string, options: GiftOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const receipt = await client.contests.gift({ contestId, accountId, giverAccountId, amountMinor, unit, ...options });
        output.thing(receipt, [
          ['contest', contestId],
          ['account', accountId],
          ['giver', giverAccountId],
          ['balance of the giver', `${receipt.balanceAfterMinor} ${unit}`],
          ['request id', receipt.requestId],
          againText(receipt),
        ]);
      }),
    );
}
