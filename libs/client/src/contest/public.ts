/** What users of the library see of contests. */
export {
  type ContestCreated,
  type ContestInput,
  type ContestRules,
  type ContestStarted,
  type MembersJoined,
  type RoundEnded,
  SCORE_OPERATORS,
  type ScoreInput,
  type ScoreOperator,
  type ScoreOutcome,
  type ScoreResult,
  type SideInput,
  type SidePoints,
  TIE_RULES,
  type TieRule,
  WINNER_RULES,
  type WinnerRule,
} from './contest';
export type { ContestsClient } from './contests-client';
