export { startCommand, type CommandDependencies, type CommandRuntime } from './command';
export type { CapabilityContext, CommandCapability, CommandContext, CommandPart } from './command-capability';
export { timerRegistration } from './timers/timer-service';
export { deliveryRegistration } from './deliveries/delivery-service';
