/** `sluice day register | update` */
import type { Command } from 'commander';
import { calendarDate } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { changedPairs } from './day-view';
import { addSettingsOptions, type SettingsOptions, settingsOf } from './settings-options';

interface RegisterOptions extends SettingsOptions {
  readonly date?: string;
  readonly requestId?: string;
}

export function addBranchCommands(day: Command, surroundings: Surroundings): void {
  addSettingsOptions(day.command('register'))
    .description('give a branch its dates: from now on its postings are dated')
    .argument('<branch>', 'as accounts name it')
    .option('--date <date>', 'its first date, a business date (default: today in its time zone, or the next business date)', calendarDate)
    .option('--request-id <id>', 'id of this request, unique in the branch; made when not given')
    .addHelpText(
      'after',
      '\nExamples:\n  sluice day register prague --time-zone Europe/Prague --rest-days SAT,SUN --cut 18:00 --automatic\n  sluice day register prague --date 2026-11-27 --line-name CASH=till',
    )
    .action((branchId: string, { date: onlineDate, requestId, ...options }: RegisterOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const registered = await client.businessDays.register({ branchId, settings: settingsOf(options), onlineDate, requestId });
        output.thing(registered, changedPairs(registered));
      }),
    );
  addSettingsOptions(day.command('update'))
    .description('change the settings of a branch, from the next end of day on; what is not given stays')
    .argument('<branch>')
    .option('--request-id <id>', 'id of this request, unique in the branch; made when not given')
    .addHelpText('after', '\nExamples:\n  sluice day update prague --cut 17:00\n  sluice day update prague --no-automatic --jobs INTEREST,ACCOUNTING')
    .action((branchId: string, { requestId, ...options }: SettingsOptions & { readonly requestId?: string }, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const { settings } = await client.businessDays.get(branchId);
        const updated = await client.businessDays.update(branchId, settingsOf(options, settings), requestId);
        output.thing(updated, changedPairs(updated));
      }),
    );
}
