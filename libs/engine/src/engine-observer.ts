/** What the engine tells whoever measures it. Called on the hot path: implementations only add numbers up. */
export interface EngineObserver {
  turnDecided(partition: number, commands: number): void;
  committed(partition: number, sizeBytes: number, latencyUs: number): void;
  queued(partition: number, commands: number): void;
  /** A refusal by reason (a state's or the engine's). */
  rejected(reason: string, count: number): void;
  /** Something went wrong that the engine recovers from; for the log. */
  trouble(partition: number, what: string, error: unknown): void;
}

export const SILENT_OBSERVER: EngineObserver = {
  turnDecided: () => undefined,
  committed: () => undefined,
  queued: () => undefined,
  rejected: () => undefined,
  trouble: () => undefined,
};
