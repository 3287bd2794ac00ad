/** Contests: what stands, what is asked for, what happens. */
export * from './contest';
export { isRecorded } from './contest-decision';
export type { ContestAcceptance, ContestDecision, ContestRejection, ContestTimer, DueScoreTask, MoneyOrder } from './contest-decision';
export * from './contest-members';
export { decideSettled, REWARDS_PER_STEP, type SettledMoney } from './contest-money';
export * from './contest-phase';
export type { ContestReward, RewardKind } from './contest-reward';
export * from './contest-rules';
export * from './decide';
export { gatherEvents } from './gathered-events';
export { JudgedScore, judgeScore } from './judge-score';
export { RoundSums } from './round-sums';
export { pointsAfter } from './score-operator';
export { scoreTaskId } from './score-task';
