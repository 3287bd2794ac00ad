/** Business days: calendars of branches, their end of day, and the products whose terms it uses. */
export * from './branch';
export * from './branch-answers';
export * from './branch-calendar';
export * from './branch-run';
export * from './branch-settings';
export * from './catalogue';
export * from './decide-branch';
export * from './product';
export * from './run-id';
export { cutTimerOf, type AskedChunk, type AskedDates, type BranchAsk, type BranchConsequences, type BranchTimer } from './branch-consequences';
export { evolveBranch, type BranchPlace } from './evolve-branch';
