/** `sluice contest` */
import type { Command } from 'commander';
import type { Surroundings } from '../connection';
import { addCreateCommand } from './create';
import { addGiftCommand } from './gift';
import { addPhaseCommands } from './phases';
import { addReadCommands } from './read';
import { addScoreCommand } from './score';
import { addSubmitCommand } from './submit';
import { addUnfinishedOfContests } from './unfinished';
import { addWatchCommand } from './watch';

export function addContestCommand(program: Command, surroundings: Surroundings): void {
  const contest = program
    .command('contest')
    .description('let sides of accounts compete, score, watch')
    .addHelpText(
      'after',
      '\nExamples:\n  sluice contest create cup --side red=ada,grace --side blue=alan\n  sluice contest start cup\n  sluice contest score cup ada 5\n  sluice contest watch cup',
    );
  addCreateCommand(contest, surroundings);
  addPhaseCommands(contest, surroundings);
  addScoreCommand(contest, surroundings);
  addSubmitCommand(contest, surroundings);
  addGiftCommand(contest, surroundings);
  addReadCommands(contest, surroundings);
  addUnfinishedOfContests(contest, surroundings);
  addWatchCommand(contest, surroundings);
}
