/** Replays of real files against a running Sluice, each row compared with what somebody else wrote down. */
export { type BankReplayOptions, type Mismatch, type ReplayObserver, type ReplayReport, replayBank } from './bank-replay';
export { MalformedFileError } from './bank-transaction';
export { type ReplaySummary, summarizeReplay } from './replay-summary';
