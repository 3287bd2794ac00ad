/** Made by "npm run codegen" from the folders of the capabilities. Do not edit. */
import { simulatedCapability as account } from './account/index';
import { simulatedCapability as businessday } from './businessday/index';
import { simulatedCapability as contest } from './contest/index';
import { simulatedCapability as reservation } from './reservation/index';
import { simulatedCapability as task } from './task/index';
import type { SimulatedCapability } from './simulated-capability';

export const SIMULATED_CAPABILITIES: readonly SimulatedCapability[] = [account, businessday, contest, reservation, task];
