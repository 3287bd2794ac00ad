/** Counters, as the command line plugs them in. */
import type { CliCapability } from '../cli-capability';
import { addCounterCommand } from './counter-command';

export const cliCapability: CliCapability = { name: 'counter', addCommands: addCounterCommand };
