/** `sluice unfinished list` and `sluice unfinished redrive`: commands that one partition owes to another and that have no verdict yet, and change tasks. */
import type { UnfinishedDelivery, UnfinishedFilter } from '@sluice/client';
import type { Command } from 'commander';
import { wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { UsageError } from '../exit-code';
import { firstOf, pageOf } from '../listing';
import { timeText } from '../output';

const DEFAULT_SHOWN = 100;

/** How what is unfinished is shown. */
export const UNFINISHED_COLUMNS: Readonly<Record<string, (row: UnfinishedDelivery) => string | number | undefined>> = {
  'delivery or task': ({ deliveryId, taskId }) => (deliveryId === '' ? taskId : deliveryId),
  state: (row) => row.state,
  'owed at': (row) => timeText(row.owedAtUs),
  'owed by': (row) => `${row.owedBy} ${row.owedByKey}`,
  target: (row) => `${row.capability} ${row.key}`,
  method: (row) => row.method,
  attempts: (row) => row.attempts,
  reason: (row) => (row.reason === '' ? undefined : row.reason),
};

interface ListOptions {
  readonly partition?: number;
  readonly dead?: boolean;
  readonly limit: number;
}

export function addUnfinishedCommand(program: Command, surroundings: Surroundings): void {
  const unfinished = program.command('unfinished').description('deliveries between partitions that have no verdict yet, and change tasks that have not ended');
  unfinished
    .command('list')
    .description('show them: partition by partition, dead letters first, change tasks last')
    .option('--partition <number>', 'only what this partition owes', wholeNumber)
    .option('--dead', 'only dead letters, and change tasks whose command cannot be decided')
    .option('--limit <count>', 'at most so many; 0: all', wholeNumber, DEFAULT_SHOWN)
    .addHelpText('after', '\nExamples:\n  sluice unfinished list\n  sluice unfinished list --dead --limit 0')
    .action(({ partition, dead, limit }: ListOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const filter: UnfinishedFilter = { ...(partition !== undefined && { partition }), deadOnly: dead === true };
        output.table(await firstOf(limit, client.scheduler.unfinished(filter, pageOf(limit))), UNFINISHED_COLUMNS);
      }),
    );
  unfinished
    .command('redrive')
    .description('send dead letters again, under the same ids')
    .argument('[deliveries...]', 'ids of dead letters, like d-0-3-17')
    .option('--all', 'all dead letters, up to 1,000 of each partition')
    .addHelpText('after', '\nExamples:\n  sluice unfinished redrive d-0-3-17\n  sluice unfinished redrive --all')
    .action((deliveries: string[], { all }: { readonly all?: boolean }, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        if ((all === true) === deliveries.length > 0) throw new UsageError('give ids of dead letters, or --all');
        const redriven = await client.scheduler.redrive(all === true ? 'all dead' : deliveries);
        if (output.json) output.object({ redriven });
        else output.line(`${redriven} ${redriven === 1 ? 'delivery is' : 'deliveries are'} sent again`);
      }),
    );
}
