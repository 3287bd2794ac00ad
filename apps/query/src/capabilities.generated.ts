/** Made by "npm run codegen" from the folders of the capabilities. Do not edit. */
import { queryCapability as account } from './account/index';
import { queryCapability as businessday } from './businessday/index';
import { queryCapability as contest } from './contest/index';
import { queryCapability as reservation } from './reservation/index';
import { queryCapability as task } from './task/index';
import type { QueryCapability } from './query-capability';

export const QUERY_CAPABILITIES: readonly QueryCapability[] = [account, businessday, contest, reservation, task];
