/** `sluice account …` */
import type { Command } from 'commander';
import type { Surroundings } from '../connection';
import { addChangeCommands } from './change';
import { addOpenCommand } from './open';
import { addPostingCommands } from './post';
import { addReadCommands } from './read';
import { addTransferCommands } from './transfer';
import { addWatchCommand } from './watch';

export function addAccountCommand(program: Command, surroundings: Surroundings): void {
  const account = program
    .command('account')
    .description('open accounts, post to them, read them')
    .addHelpText('after', '\nExamples:\n  sluice account open wallet-1 EUR\n  sluice account post wallet-1 CREDIT 2500 EUR\n  sluice account entries wallet-1');
  addOpenCommand(account, surroundings);
  addReadCommands(account, surroundings);
  addPostingCommands(account, surroundings);
  addTransferCommands(account, surroundings);
  addChangeCommands(account, surroundings);
  addWatchCommand(account, surroundings);
}
