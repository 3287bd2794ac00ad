/** Made by "npm run codegen" from the folders of the capabilities. Do not edit. */
import { projection as account } from './account/index';
import { projection as businessday } from './businessday/index';
import { projection as contest } from './contest/index';
import { projection as reservation } from './reservation/index';
import { projection as task } from './task/index';
import type { Projection } from './projection';

export const PROJECTIONS: readonly Projection[] = [account, businessday, contest, reservation, task];
