/** A log whose newest commits can be given up by a person. */
export interface RepairableLog {
  /** For people: "in /var/sluice". */
  readonly place: string;
  /** Newest sequence of every partition. */
  heads(): Promise<readonly number[]>;
  /** Throws PlainFailure if a server works on the log. */
  assertUnused(): Promise<void>;
  /** Drops the commits from a sequence on. Called once, when the log is unused. */
  drop(from: CommitPlace): Promise<Dropped>;
  close(): Promise<void>;
}

export interface CommitPlace {
  readonly partition: number;
  readonly sequence: number;
}

export interface Dropped {
  readonly dropped: number;
  /** Where the commits are kept, for people; undefined: they are gone. */
  readonly keptIn?: string;
}
