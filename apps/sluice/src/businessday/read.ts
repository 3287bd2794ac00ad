/** `sluice day status | branches | runs | watch` */
import type { Command } from 'commander';
import { calendarDate, wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { EXIT, PlainFailure } from '../exit-code';
import { firstOf, pageOf } from '../listing';
import { BRANCH_COLUMNS, dayPairs, RUN_COLUMNS, showSetAside } from './day-view';
import { showRun, watched } from './follow-run';
import { progressLines } from './run-progress';

const DEFAULT_SHOWN = 100;
const DEFAULT_COLUMNS = 100;

interface LimitOptions {
  readonly limit: number;
}

export function addReadCommands(day: Command, surroundings: Surroundings): void {
  day
    .command('status')
    .description('show the dates and settings of a branch, and how the run under way stands')
    .argument('<branch>')
    .addHelpText('after', '\nExamples:\n  sluice day status prague\n  sluice day status prague --json')
    .action((branchId: string, _options: unknown, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const found = await client.businessDays.get(branchId);
        const run = found.runId === '' ? undefined : await client.businessDays.getRun(found.runId);
        output.thing({ ...found, run }, dayPairs(found));
        if (output.json || run === undefined) return;
        output.line('');
        for (const line of progressLines(run, surroundings.terminal.results.columns ?? DEFAULT_COLUMNS)) output.line(line);
        showSetAside(output, run);
      }),
    );
  day
    .command('branches')
    .description('list branches that have dates, by their ids')
    .option('--limit <count>', 'at most so many; 0: all', wholeNumber, DEFAULT_SHOWN)
    .action(({ limit }: LimitOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        output.table(await firstOf(limit, client.businessDays.branches(pageOf(limit))), BRANCH_COLUMNS);
      }),
    );
  day
    .command('runs')
    .description('list the ends of day of a branch, the newest date first')
    .argument('<branch>')
    .option('--limit <count>', 'at most so many; 0: all', wholeNumber, DEFAULT_SHOWN)
    .action((branchId: string, { limit }: LimitOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        output.table(await firstOf(limit, client.businessDays.runs(branchId, pageOf(limit))), RUN_COLUMNS);
      }),
    );
  day
    .command('watch')
    .description('show an end of day and every change, until it has ended or Ctrl-C')
    .argument('<branch>')
    .argument('[date]', 'the date that it closes (default: the run under way)', calendarDate)
    .addHelpText('after', '\nOn a terminal a bar for each step; in a pipe a line per change.\n\nExample:\n  sluice day watch prague')
    .action((branchId: string, date: string | undefined, _options: unknown, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const runId = date === undefined ? (await client.businessDays.get(branchId)).runId : `${branchId}/${date}`;
        if (runId === '') throw new PlainFailure(`no end of day of ${branchId} is under way`, EXIT.refused);
        await showRun(watched(client, runId, surroundings.interrupted), output, surroundings.terminal.results);
      }),
    );
}
