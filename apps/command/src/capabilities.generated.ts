/** Made by "npm run codegen" from the folders of the capabilities. Do not edit. */
import { commandCapability as account } from './account/index';
import { commandCapability as businessday } from './businessday/index';
import { commandCapability as contest } from './contest/index';
import { commandCapability as reservation } from './reservation/index';
import { commandCapability as task } from './task/index';
import type { CommandCapability } from './command-capability';

export const COMMAND_CAPABILITIES: readonly CommandCapability[] = [account, businessday, contest, reservation, task];
