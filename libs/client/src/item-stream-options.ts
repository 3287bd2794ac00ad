/** How a stream of items travels: what a caller may tune. */
export interface ItemStreamOptions {
  /** Items under way at once; the source is asked for more as answers come. Default 1,000. */
  readonly maximumInFlight?: number;
  /** Milliseconds after the last answer until repeats are given up. Default: the client's deadline. */
  readonly deadlineMs?: number;
}
