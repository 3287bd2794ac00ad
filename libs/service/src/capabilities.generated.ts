/** Made by "npm run codegen" from the folders of the capabilities. Do not edit. */
import { serviceCapability as task } from './task/index';

export const SERVICE_CAPABILITIES = [task] as const;
