/** Made by "npm run codegen" from the folders of the capabilities. Do not edit. */
import { clientCapability as account } from './account/index';
import { clientCapability as businessday } from './businessday/index';
import { clientCapability as contest } from './contest/index';
import { clientCapability as reservation } from './reservation/index';
import { clientCapability as task } from './task/index';

export const CLIENT_CAPABILITIES = [account, businessday, contest, reservation, task] as const;
