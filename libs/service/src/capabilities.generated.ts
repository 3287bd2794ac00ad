/** Made by "npm run codegen" from the folders of the capabilities. Do not edit. */
import { serviceCapability as businessday } from './businessday/index';
import { serviceCapability as contest } from './contest/index';
import { serviceCapability as reservation } from './reservation/index';
import { serviceCapability as task } from './task/index';

export const SERVICE_CAPABILITIES = [businessday, contest, reservation, task] as const;
