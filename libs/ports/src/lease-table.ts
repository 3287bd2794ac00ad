/**
 * What a lease service must have: a table of entries that are changed by compare-and-set and watched by every process. The protocol
 * of leases over it is in `@sluice/leases`.
 */
export interface LeaseTableEntry {
  readonly key: string;
  readonly value: string;
  /** Rises with every change of the table, for as long as the table exists. */
  readonly revision: number;
}

export interface LeaseTableWatcher {
  /** The watch stands: these are all entries there are. Called again whenever the watch was established anew. */
  snapshot(entries: readonly LeaseTableEntry[]): void;
  /** An entry was written. One that is replaced before it is told, or vanishes, may not be told. */
  changed(entry: LeaseTableEntry): void;
  /** The watch is broken: nothing is told until the next snapshot. The table establishes the watch anew by itself. */
  broken(error: Error): void;
}

export interface LeaseTableWatch {
  /** Establishes the watch anew: the caller knows that it lags behind. */
  restart(reason: string): void;
  stop(): Promise<void>;
}

export interface LeaseTable {
  /**
   * Writes the entry in place of the one with `previousRevision` (0: where there is none). Returns the new revision; undefined: the table
   * has another revision of the entry. Throws when the service cannot be reached or does not answer within `limitMs`: the outcome
   * is unknown then.
   */
  put(key: string, value: string, previousRevision: number, limitMs: number): Promise<number | undefined>;
  /** The newest entry, or undefined if there is none. Throws like `put`. */
  get(key: string, limitMs: number): Promise<LeaseTableEntry | undefined>;
  watch(watcher: LeaseTableWatcher): LeaseTableWatch;
}
