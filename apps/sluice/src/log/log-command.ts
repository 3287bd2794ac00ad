/** `sluice log …` */
import type { Command } from 'commander';
import type { Surroundings } from '../connection';
import { addNewLogCommand } from './new-log';
import { addPartitionCommand } from './partition';
import { addRepairCommand } from './repair';
import { addRestoredCommand } from './restored';
import { addTailCommand } from './tail';
import { addLogVerifyCommand } from './verify';

export function addLogCommand(program: Command, surroundings: Surroundings): void {
  const log = program
    .command('log')
    .description('look at the event log, check it, repair it')
    .addHelpText('after', '\nExamples:\n  sluice log tail\n  sluice log verify');
  addPartitionCommand(log, surroundings);
  addTailCommand(log, surroundings);
  addLogVerifyCommand(log, surroundings);
  addRepairCommand(log, surroundings);
  addRestoredCommand(log, surroundings);
  addNewLogCommand(log, surroundings);
}
