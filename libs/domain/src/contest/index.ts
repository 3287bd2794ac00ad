/** Contests: what stands, what is asked for, what happens. */
export * from './contest';
export * from './contest-members';
export * from './contest-phase';
export * from './contest-rules';
export * from './decide';
export { RoundSums } from './round-sums';
export { pointsAfter } from './score-operator';
