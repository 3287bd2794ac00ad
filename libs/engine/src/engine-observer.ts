import type { UnreadableLogError } from './partition/unreadable-log';

/** What the engine tells whoever measures it. Called on the hot path: implementations only add numbers up. */
export interface EngineObserver {
  turnDecided(partition: number, commands: number): void;
  committed(partition: number, sizeBytes: number, latencyUs: number): void;
  queued(partition: number, commands: number): void;
  /** A refusal by reason (a state's or the engine's). */
  rejected(reason: string, count: number): void;
  /** Something went wrong that the engine recovers from; for the log. */
  trouble(partition: number, what: string, error: unknown): void;
  /** The log of a partition that this instance should serve cannot be read, and that is not mended by trying again; undefined: it can be read again. */
  unreadable?(partition: number, error: UnreadableLogError | undefined): void;
  /**
   * A durable commit that carries requests which are traced. Returns the W3C traceparent that what follows from it continues;
   * undefined: nobody wants traces.
   */
  traced?(commit: TracedCommit): string | undefined;
  /** A traced commit is about to be published. Undefined: nobody wants traces. */
  publishing?(partition: number, sequence: number, traceparent: string): TracedPublishing | undefined;
  /** Deliveries that the partition owes and that have no verdict, and the dead letters among them. */
  deliveriesUnfinished?(partition: number, unfinished: number, dead: number): void;
  /** Deliveries of others that were decided, durably. */
  deliveriesTaken?(partition: number, count: number): void;
  /** Deliveries whose verdicts the partition has recorded, durably. */
  deliveriesSettled?(partition: number, count: number): void;
  /** Timers that wait, and those among them whose command cannot be decided. */
  timersPending?(partition: number, pending: number, parked: number): void;
  /** A step of timers was fired, durably. @param lateUs how long the last of them had been due when its command was decided. */
  timersFired?(partition: number, fired: number, lateUs: number): void;
}

export interface TracedCommit {
  readonly partition: number;
  readonly sequence: number;
  readonly commands: number;
  readonly sizeBytes: number;
  /** W3C traceparents of the requests, at most 32. */
  readonly traceparents: readonly string[];
  /** Microseconds since the epoch. */
  readonly decideStartUs: number;
  readonly decideEndUs: number;
  readonly appendStartUs: number;
  readonly durableUs: number;
}

export interface TracedPublishing {
  /** Travels with the message. */
  readonly traceparent: string;
  /** The bus has it, or did not take it. */
  ended(error?: unknown): void;
}

export const SILENT_OBSERVER: EngineObserver = {
  turnDecided: () => undefined,
  committed: () => undefined,
  queued: () => undefined,
  rejected: () => undefined,
  trouble: () => undefined,
};
