/** What the process with the watchers of a contest is told, and what it answers. */
export type WatchOrder =
  /** Opens the watches; answered when each has shown the standings once. */
  | { readonly kind: 'open'; readonly address: string; readonly contestId: string; readonly accountId: string; readonly watchers: number }
  /** Scores one point after the other for the account, each when all watchers have seen the one before. */
  | { readonly kind: 'score'; readonly warmUpMs: number; readonly windowMs: number }
  | { readonly kind: 'close' };

export interface WatchAnswer {
  /** Scores that were acknowledged. */
  readonly acknowledged: number;
  /** From the acknowledgement of a score until a watcher has seen it, for each watcher and each score that was acknowledged after the warm-up, packed. */
  readonly latency: string;
  /** Scores that a watcher did not see in time, over all watchers. */
  readonly unseen: number;
  /** What a watch that ended early said. */
  readonly complaint: string | undefined;
}
