/** Contests, as the command line plugs them in. */
import type { CliCapability } from '../cli-capability';
import { addContestCommand } from './contest-command';

export const cliCapability: CliCapability = { name: 'contest', addCommands: addContestCommand };
