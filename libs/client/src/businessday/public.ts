/** What users of the library see of business days. */
export {
  type BatchRun,
  RUN_GOALS,
  type RunGoal,
  type RunStep,
  type SetAsideOfRun,
  STEP_KINDS,
  type StepKind,
} from './batch-run';
export {
  type BeginRequest,
  type BranchChanged,
  type BranchDates,
  type BranchInput,
  type BranchSettings,
  type BranchSettingsInput,
  type BusinessDay,
  CONTRA_LINES,
  type ContraLine,
  type DatesRequest,
  DAY_JOBS,
  type DayJob,
  type DayRequest,
  type EndOfDayRequest,
  ROLL_POLICIES,
  type RollPolicy,
  RUN_STATES,
  type RunState,
} from './business-day';
export type { BusinessDaysClient } from './business-days-client';
export {
  type DayProof,
  type DayProofFailure,
  type DayProofSum,
  type DayReport,
  EXPORT_FORMATS,
  type ExportFormat,
  type LineBalance,
  type ProductBalance,
  type TrialBalance,
} from './day-report';
export {
  CAPITALISATIONS,
  type Capitalisation,
  DAY_COUNTS,
  type DayCount,
  type Product,
  type ProductChanged,
  type ProductInput,
  type RateTier,
} from './product';
export type { ProductsClient } from './products-client';
