/** Made by "npm run codegen" from the folders of the capabilities. Do not edit. */
import { clientCapability as account } from './account/index';

export const CLIENT_CAPABILITIES = [account] as const;
