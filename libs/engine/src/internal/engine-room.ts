/**
 * What the engine itself keeps in a partition's memory beside the capabilities: what the partition owes others, and what is due. Its events
 * are of the type "log", its state is part of the partition's snapshots. A room changes with the turn, ahead of the log, like a capability's state.
 */
import type { SnapshotSession } from '../capability';
import type { Turn } from '../partition/turn';

export interface EngineRoom {
  /** Names its blocks in a snapshot: "deliveries". */
  readonly name: string;
  /** Version of its blocks; older ones are read, too. */
  readonly snapshotVersion: number;
  /** Writes into the turn's commit what the turn changed, behind the events of the capabilities. */
  flush(turn: Turn): void;
  beginSnapshot(): SnapshotSession;
  restore(block: Uint8Array, version: number): void;
}

/** A command that the partition owes to the partition of its key, or to one that it names. */
export interface OwedDelivery {
  readonly capability: string;
  readonly method: string;
  readonly key: string;
  /**
   * Where the command goes; undefined: the partition of the key. The key need not be hashed to it: what is asked of a whole partition names the one who asks,
   * and what concerns an aggregate has the partition of the aggregate, which its capability may have found already.
   */
  readonly partition?: number;
  /** The key is hashed whole, braces included. */
  readonly wholeKey?: boolean;
  /** The encoded message that the method takes. */
  readonly payload: Uint8Array;
  /** The capability and the aggregate that owe it: who reacts to its verdict. */
  readonly owedBy: { readonly capability: string; readonly key: string };
}

/** A delivery with its verdict: final, recorded at its target. */
export interface SettledDelivery extends OwedDelivery {
  /** Where it was decided. */
  readonly partition: number;
  readonly id: string;
  readonly accepted: boolean;
  /** Empty if it was accepted. */
  readonly reason: string;
  /** What the target answered. */
  readonly answer: Uint8Array;
}

export interface DeliveriesRoom extends EngineRoom {
  /** Returns the delivery's id. */
  owe(turn: Turn, delivery: OwedDelivery): string;
}

/** A command for an aggregate of this partition, due at a time. */
export interface DueCommand {
  /** One timer of this id is pending at a time in its aggregate; setting it again replaces it. */
  readonly timerId: string;
  readonly dueAtUs: number;
  readonly capability: string;
  readonly method: string;
  readonly key: string;
  readonly payload: Uint8Array;
}

/** Names a pending timer. */
export type TimerName = Pick<DueCommand, 'capability' | 'key' | 'timerId'>;

export interface TimersRoom extends EngineRoom {
  set(turn: Turn, timer: DueCommand): void;
  /** Nothing if there is no such timer. */
  cancel(turn: Turn, timer: TimerName): void;
}

export interface EngineRooms {
  readonly deliveries: DeliveriesRoom;
  readonly timers: TimersRoom;
}

/** Works for a partition while it serves: publishes, sends what is owed, fires what is due. */
export interface PartitionWorker {
  /** Every commit up to this sequence is durable. */
  durable(sequence: number): void;
  /** The memory that it works on is given up. */
  stop(): void;
}
