/** What the process of the exchange is asked, and what it answers. */
export interface ExchangeOrder {
  /** Where its log is made. */
  readonly folder: string;
  readonly warmUpMs: number;
  readonly windowMs: number;
}

export interface ExchangeAnswer {
  readonly kind: 'exchanged';
  /** Deliveries whose verdicts were recorded within the window, of both directions. */
  readonly settled: number;
  readonly windowMs: number;
  /** Everything that was owed since the process began, once nothing is unfinished: owed, applied, settled. */
  readonly owed: number;
  readonly applied: number;
  readonly told: number;
}

/** How much memory outstanding deliveries take while their target is away, and how fast they go when it is back. */
export interface OutstandingOrder {
  readonly folder: string;
  readonly outstanding: number;
}

export interface OutstandingAnswer {
  readonly kind: 'outstanding';
  readonly heapBytes: number;
  readonly drainedPerSecond: number;
  readonly applied: number;
}
