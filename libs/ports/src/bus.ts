/**
 * The bus: commits on their way from the log to the projectors. It may lose, repeat, delay and reorder: readers heal from
 * the log. In order per partition is the rule, not a promise.
 */
export interface BusMessage {
  readonly partition: number;
  readonly sequence: number;
  /** The encoded commit; undefined: a pointer, the commit is above the bus's payload limit and is to be read from the log. */
  readonly bytes: Uint8Array | undefined;
  /** W3C trace context of the publish span, if it was sampled. */
  readonly traceparent?: string;
}

export interface BusSubscription {
  stop(): Promise<void>;
}

export interface Bus {
  /** Resolves when the bus has it (on disk, where it has one). Publishing the same (partition, sequence) again is harmless. */
  publish(message: BusMessage): Promise<void>;
  /** Whether what was published outlives this process. If not, an owner begins to publish at the newest commit: readers heal from the log. */
  readonly keepsMessages: boolean;
  /** Newest sequence that the bus has of the partition; 0: none. */
  lastSequence(partition: number): Promise<number>;
  /**
   * Messages of the partition, from `fromSequence` on where the bus still has them. The next one is handed over when the
   * handler's promise resolves; a message whose handler rejects comes again.
   */
  subscribe(partition: number, fromSequence: number, handler: (message: BusMessage) => Promise<void>): Promise<BusSubscription>;
  /** Whether the bus can be reached now. */
  readonly connected: boolean;
  close(): Promise<void>;
}
