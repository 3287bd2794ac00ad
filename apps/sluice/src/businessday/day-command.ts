/** `sluice day` */
import type { Command } from 'commander';
import type { Surroundings } from '../connection';
import { addBranchCommands } from './branch';
import { addChainCommands } from './chain';
import { addControlCommands } from './control';
import { addReadCommands } from './read';
import { addReportCommands } from './report';

export function addDayCommand(program: Command, surroundings: Surroundings): void {
  const day = program
    .command('day')
    .description('business days of branches: online date, batch date, the end of day and its reports')
    .addHelpText(
      'after',
      `
An end of day: jobs of stage one, cut (the online date moves), seal, roll, jobs of the closed date, begin (the batch date moves).
"day end" does all of it; "day cut", "day run" and "day begin" do it in three parts.

Examples:
  sluice day register prague --time-zone Europe/Prague --rest-days SAT,SUN --cut 18:00
  sluice day status prague
  sluice day end prague
  sluice day report prague
  sluice day verify prague`,
    );
  addBranchCommands(day, surroundings);
  addChainCommands(day, surroundings);
  addControlCommands(day, surroundings);
  addReadCommands(day, surroundings);
  addReportCommands(day, surroundings);
}
