/** Made by "npm run codegen" from the folders of the capabilities. Do not edit. */
import { cliCapability as account } from './account/index';
import { cliCapability as businessday } from './businessday/index';
import { cliCapability as contest } from './contest/index';
import { cliCapability as reservation } from './reservation/index';
import { cliCapability as task } from './task/index';
import type { CliCapability } from './cli-capability';

export const CLI_CAPABILITIES: readonly CliCapability[] = [account, businessday, contest, reservation, task];
