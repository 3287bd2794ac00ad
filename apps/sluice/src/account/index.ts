/** Accounts, as the command line plugs them in. */
import type { CliCapability } from '../cli-capability';
import { addAccountCommand } from './account-command';

export const cliCapability: CliCapability = { name: 'account', addCommands: addAccountCommand };
