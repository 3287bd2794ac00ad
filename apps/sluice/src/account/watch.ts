/** `sluice account watch` */
import type { Command } from 'commander';
import { wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { timeText } from '../output';

export function addWatchCommand(account: Command, surroundings: Surroundings): void {
  account
    .command('watch')
    .description('show an account now and after every change, until Ctrl-C')
    .argument('<account>')
    .option('--count <count>', 'stop after so many', wholeNumber)
    .addHelpText('after', '\nExample:\n  sluice account watch wallet-1')
    .action((accountId: string, options: { readonly count?: number }, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        let shown = 0;
        for await (const seen of client.accounts.watch(accountId, { signal: surroundings.interrupted })) {
          if (output.json) output.object(seen);
          else
            output.line(
              `${timeText(seen.balanceUpdatedAtUs || seen.openedAtUs)}  ${seen.status}  balance ${seen.balanceMinor} ${seen.unit}  held ${seen.heldMinor}  entries ${seen.entryCount}`,
            );
          shown += 1;
          if (shown === options.count) return;
        }
      }),
    );
}
