/** Made by "npm run codegen" from the folders of the capabilities. Do not edit. */

export const SERVICE_CAPABILITIES = [] as const;
