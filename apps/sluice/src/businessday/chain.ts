/** `sluice day cut | run | begin | end` */
import type { BranchChanged, SluiceClient } from '@sluice/client';
import type { Command } from 'commander';
import { calendarDate } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { type ExitCode, UsageError } from '../exit-code';
import type { Output } from '../output';
import { changedPairs } from './day-view';
import { followRuns } from './follow-run';

interface ChainOptions {
  readonly requestId?: string;
}

interface FollowOptions extends ChainOptions {
  readonly follow: boolean;
}

interface BeginOptions extends ChainOptions {
  readonly force?: boolean;
  readonly reason?: string;
}

const FOLLOW_HELP =
  '\nOn a terminal a bar for each step; in a pipe a line per change; with --json the run after each change. Ctrl-C ends the following, the run goes on.\nThe exit code is 1 if the run waits because accounts are set aside.\n';

export function addChainCommands(day: Command, surroundings: Surroundings): void {
  dated(day, 'cut', 'cut the day: what is initiated from now on has the next date', 'the online date (default: the one in force)')
    .addHelpText('after', '\nExamples:\n  sluice day cut prague\n  sluice day cut prague 2026-11-27')
    .action((branchId: string, date: string | undefined, { requestId }: ChainOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => show(output, await client.businessDays.cut(branchId, { date, requestId }))),
    );
  dated(day, 'run', 'run the jobs of a date that is cut, and follow them', 'the batch date (default: the one in force)')
    .option('--no-follow', 'return when it has begun')
    .addHelpText('after', `${FOLLOW_HELP}\nExample:\n  sluice day run prague`)
    .action((branchId: string, date: string | undefined, { requestId, follow }: FollowOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const begun = await client.businessDays.run(branchId, { date, requestId });
        return followed({ client, output, surroundings }, begun, follow);
      }),
    );
  dated(day, 'begin', 'begin the next day: the batch date moves', 'the batch date that is left (default: the one in force)')
    .option('--force', 'although accounts were set aside, or steps are missing')
    .option('--reason <text>', 'with --force: why, as it is recorded')
    .addHelpText('after', '\nExamples:\n  sluice day begin prague\n  sluice day begin prague --force --reason "two accounts are looked after tomorrow"')
    .action((branchId: string, date: string | undefined, { requestId, force, reason }: BeginOptions, command: Command) => {
      if ((force === true) !== (reason !== undefined)) throw new UsageError('--force and --reason belong together');
      return withClient(command, surroundings, async (client, output) =>
        show(output, await client.businessDays.begin(branchId, { date, requestId, forcedReason: reason })),
      );
    });
  day
    .command('end')
    .description('run the whole end of day, and follow it: cut, jobs, begin')
    .argument('<branch>')
    .argument('[until]', 'the last date to be closed; missed days before it are closed one after the other (default: the online date)', calendarDate)
    .option('--no-follow', 'return when it has begun')
    .option('--request-id <id>', 'id of this request, unique in the branch; made when not given')
    .addHelpText('after', `${FOLLOW_HELP}\nExamples:\n  sluice day end prague\n  sluice day end prague 2026-12-31 --no-follow`)
    .action((branchId: string, untilDate: string | undefined, { requestId, follow }: FollowOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const begun = await client.businessDays.end(branchId, { untilDate, requestId });
        return followed({ client, output, surroundings }, begun, follow, untilDate);
      }),
    );
}

function dated(day: Command, name: string, description: string, date: string): Command {
  return day
    .command(name)
    .description(description)
    .argument('<branch>')
    .argument('[date]', date, calendarDate)
    .option('--request-id <id>', 'id of this request, unique in the branch; made when not given');
}

function show(output: Output, changed: BranchChanged): void {
  output.thing(changed, changedPairs(changed));
}

async function followed(
  parts: { readonly client: SluiceClient; readonly output: Output; readonly surroundings: Surroundings },
  begun: BranchChanged,
  follow: boolean,
  untilDate?: string,
): Promise<ExitCode | undefined> {
  const { runId } = begun.day;
  if (follow && runId !== '') return followRuns(parts, runId, untilDate);
  show(parts.output, begun);
  return undefined;
}
