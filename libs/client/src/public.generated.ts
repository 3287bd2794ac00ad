/** Made by "npm run codegen" from the folders of the capabilities. Do not edit. */
export * from './account/public';
export * from './businessday/public';
export * from './contest/public';
export * from './reservation/public';
export * from './task/public';
