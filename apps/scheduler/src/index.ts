export * from './scheduler';
export { type CommandInstances, leasedCommandInstances, oneCommandInstance } from './owners/command-instances';
