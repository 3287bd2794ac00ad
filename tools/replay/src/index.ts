/** Replays of real files against a running Sluice, each row compared with what somebody else wrote down. */
export { type BankReplayOptions, type Mismatch, type ReplayObserver, type ReplayReport, replayBank } from './bank-replay';
export { type ContestReplayOptions, type ContestReplayReport, replayContests } from './contest-replay';
export { summarizeContestReplay } from './contest-replay-summary';
export { type DayReplayOptions, type DayReplayReport, replayDays } from './day-replay';
export { summarizeDayReplay } from './day-replay-summary';
export { MalformedFileError } from './malformed-file-error';
export { type ReplaySummary, summarizeReplay } from './replay-summary';
export { replayReservations, type ReservationReplayOptions, type ReservationReplayReport } from './reservation-replay';
export { summarizeReservationReplay } from './reservation-replay-summary';
export type { ShownTotals, SpoilTotals } from './spoilt-totals';
export type { KillableService } from './task-outages';
export { replayTasks, type TaskReplayOptions, type TaskReplayReport } from './task-replay';
export { summarizeTaskReplay } from './task-replay-summary';
