/** `sluice log partition` */
import type { Command } from 'commander';
import { type Surroundings, withClient } from '../connection';

export function addPartitionCommand(log: Command, surroundings: Surroundings): void {
  log
    .command('partition')
    .description('say which partition a key lives in, who owns it, and where it stands')
    .argument('<key>', 'key of an aggregate, like an account id')
    .option('--whole', 'hash the key whole, braces included: the number of a reservation (default: text in braces is what is hashed)')
    .addHelpText('after', "\nExamples:\n  sluice log partition wallet-1\n  sluice log partition '{room-12}-0815' --whole")
    .action((key: string, { whole }: { readonly whole?: boolean }, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const found = await client.log.getPartition(key, { wholeKey: whole ?? false });
        const { partition, partitions, owner, ownerEpoch, headSequence, incarnation } = found;
        output.thing(found, [
          ['partition', `${partition} of ${partitions}`],
          ['owner', owner === '' ? 'none yet' : `${owner}, epoch ${ownerEpoch}`],
          ['newest commit', String(headSequence)],
          ['incarnation', incarnation],
        ]);
      }),
    );
}
