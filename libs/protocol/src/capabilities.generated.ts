/** Made by "npm run codegen" from the folders of the capabilities. Do not edit. */
import { protocolCapability as account } from './account/index';
import { protocolCapability as businessday } from './businessday/index';
import { protocolCapability as contest } from './contest/index';
import { protocolCapability as reservation } from './reservation/index';
import { protocolCapability as task } from './task/index';

export const PROTOCOL_CAPABILITIES = [account, businessday, contest, reservation, task] as const;
