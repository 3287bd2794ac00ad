/** `sluice day pause | resume | set-dates` */
import type { Command } from 'commander';
import { calendarDate } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { changedPairs } from './day-view';

interface ControlOptions {
  readonly requestId?: string;
}

export function addControlCommands(day: Command, surroundings: Surroundings): void {
  const control = (name: 'pause' | 'resume', description: string): void => {
    day
      .command(name)
      .description(description)
      .argument('<branch>')
      .option('--request-id <id>', 'id of this request, unique in the branch; made when not given')
      .action((branchId: string, { requestId }: ControlOptions, command: Command) =>
        withClient(command, surroundings, async (client, output) => {
          const changed = await client.businessDays[name](branchId, requestId);
          output.thing(changed, changedPairs(changed));
        }),
      );
  };
  control('pause', 'let the run under way stand still behind the step that is being done');
  control('resume', 'let it go on');
  day
    .command('set-dates')
    .description('set online date and batch date by hand')
    .argument('<branch>')
    .argument('<date>', 'a business date', calendarDate)
    .requiredOption('--reason <text>', 'why, as it is recorded')
    .option('--request-id <id>', 'id of this request, unique in the branch; made when not given')
    .addHelpText('after', '\nExample:\n  sluice day set-dates prague 2026-12-01 --reason "moved to the new core"')
    .action((branchId: string, date: string, { reason, requestId }: ControlOptions & { readonly reason: string }, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const changed = await client.businessDays.setDates(branchId, { date, reason, requestId });
        output.thing(changed, changedPairs(changed));
      }),
    );
}
