/** How requests that are drawn together travel. */
export interface BatchingOptions {
  /** Postings of one call, or scores; at most 10,000. Default 1,000. */
  readonly maximumPostings?: number;
  /** Bytes of one call; the services take 8 MiB. Default 1 MiB. */
  readonly maximumBytes?: number;
  /** Calls in flight at once. Default 4. */
  readonly maximumCallsInFlight?: number;
  /** Postings that may wait in this client, and scores beside them; more are refused at once. Default 50,000. */
  readonly maximumWaiting?: number;
}
