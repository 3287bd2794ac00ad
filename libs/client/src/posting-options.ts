/** How postings travel: what a caller may tune. */
export interface BatchingOptions {
  /** Postings of one call; at most 10,000. Default 1,000. */
  readonly maximumPostings?: number;
  /** Bytes of one call; the services take 8 MiB. Default 1 MiB. */
  readonly maximumBytes?: number;
  /** Calls in flight at once. Default 4. */
  readonly maximumCallsInFlight?: number;
  /** Postings that may wait in this client; more are refused at once. Default 50,000. */
  readonly maximumWaiting?: number;
}

export interface PostStreamOptions {
  /** Postings under way at once; the source is asked for more as answers come. Default 1,000. */
  readonly maximumInFlight?: number;
  /** Milliseconds after the last answer until repeats are given up. Default: the client's deadline. */
  readonly deadlineMs?: number;
}
