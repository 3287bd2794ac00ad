export { startCommand, type CommandDependencies, type CommandRuntime } from './command';
export { ACCOUNT_COMMAND_SERVICE } from './account/account-service';
