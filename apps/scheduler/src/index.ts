export * from './scheduler';
export { type CommandInstances, oneCommandInstance } from './owners/command-instances';
