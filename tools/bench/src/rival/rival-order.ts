/** The ways to post to a hot account without batching it in the engine, and what they measured. */
export interface RivalOrder {
  readonly windowMs: number;
  readonly warmUpMs: number;
}

export interface RowLockOrder extends RivalOrder {
  /** Where its database is made, on the disk that the server under test writes to. */
  readonly folder: string;
}

export interface RivalAnswer {
  readonly accepted: number;
  readonly windowMs: number;
}
