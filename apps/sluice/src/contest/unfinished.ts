/** `sluice contest unfinished` */
import type { UnfinishedDelivery } from '@sluice/client';
import type { Command } from 'commander';
import { wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { firstOf } from '../listing';
import { UNFINISHED_COLUMNS } from '../scheduler/unfinished';

const DEFAULT_SHOWN = 100;
const CAPABILITY = 'contest';
const PAGE = { pageSize: 1_000 };

export function addUnfinishedOfContests(contest: Command, surroundings: Surroundings): void {
  contest
    .command('unfinished')
    .description('show submitted scores, gifts and rewards that are on their way')
    .argument('[contest]', 'only those of this contest')
    .option('--limit <count>', 'at most so many; 0: all', wholeNumber, DEFAULT_SHOWN)
    .addHelpText('after', '\nExamples:\n  sluice contest unfinished\n  sluice contest unfinished cup --limit 0')
    .action((contestId: string | undefined, { limit }: { readonly limit: number }, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        output.table(await firstOf(limit, ofContests(client.scheduler.unfinished({}, PAGE), contestId)), UNFINISHED_COLUMNS);
      }),
    );
}

/** What a contest decides, and what it owes: both name it. */
async function* ofContests(all: AsyncIterable<UnfinishedDelivery>, contestId: string | undefined): AsyncGenerator<UnfinishedDelivery, void, undefined> {
  const isAsked = (capability: string, key: string): boolean => capability === CAPABILITY && (contestId === undefined || key === contestId);
  for await (const row of all) if (isAsked(row.capability, row.key) || isAsked(row.owedBy, row.owedByKey)) yield row;
}
