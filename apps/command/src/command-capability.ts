/**
 * What a capability gives to the command service: its aggregates, as the engine plugs them in, and its services.
 *
 *   create ──▶ prepare ──▶ the engine loads the partitions with its capability ──▶ services ──▶ … ──▶ drain ──▶ stop
 */
import type { ServiceDefinition } from '@grpc/grpc-js';
import type { Capability, Engine, EngineObserver, HashSeeds, PartitionHop, PoolMode } from '@sluice/engine';
import type { Clock, CollectionDefinition, Keyring, ReadStore } from '@sluice/ports';
import type { CallContext, CapabilityMetrics, CapabilitySettings, ServiceRegistration } from '@sluice/service';

/** What is there before the engine is. */
export interface CapabilityContext {
  readonly clock: Clock;
  /** Partitions of the log. */
  readonly partitions: number;
  readonly keyring: Keyring;
  readonly pool: PoolMode;
  /** Threads of the pool; undefined: by the machine's processors. */
  readonly poolThreads?: number | undefined;
  /** What is configured of the settings that capabilities declare. */
  readonly settings: CapabilitySettings;
  /** Instruments of the metrics that capabilities declare. */
  readonly metrics: CapabilityMetrics;
  /** Whether a partition is served whose aggregates name keys that the keyring lacks; undefined: refuse. */
  readonly missingKeys?: 'refuse' | 'accept' | undefined;
  /** For what compares the read store with the log; undefined: none is configured. Returns undefined while it was not reached yet. */
  readonly readStore?: (() => ReadStore | undefined) | undefined;
  /** Tells the operator of a fault that costs a caller an answer. */
  readonly trouble: (partition: number, what: string, error: unknown) => void;
}

/** A transfer to an aggregate of another capability, which takes it by its method TakeTransfer. */
export interface TransferElsewhere {
  readonly requestId: string;
  readonly fromAccountId: string;
  readonly amountMinor: bigint;
  readonly unit: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Empty where the account has no signing key. */
  readonly signature: Uint8Array;
  readonly signedAtUs: bigint;
  readonly capability: string;
  /** Of the aggregate. */
  readonly key: string;
  /** What it reads of the transfer. */
  readonly order: Uint8Array;
}

export interface TransferredElsewhere {
  readonly balanceAfterMinor: bigint;
  /** 0: it was refused. */
  readonly entryNumber: bigint;
  readonly repeated: boolean;
  readonly error: { readonly code: number; readonly reason: string; readonly message: string } | undefined;
}

export interface TransfersElsewhere {
  /** One for each order. */
  readonly results: readonly TransferredElsewhere[];
  readonly positionToken: string;
}

/** Debits accounts, and owes each amount to an aggregate of the capability that orders it. */
export type TransferMoney = (orders: readonly TransferElsewhere[], call: CallContext) => Promise<TransfersElsewhere>;

/** What methods run on. */
export interface CommandContext {
  readonly engine: Engine;
  readonly seeds: HashSeeds;
  readonly observer: EngineObserver;
  /** Of the log, hex. */
  readonly incarnation: string;
  /** Undefined: every partition is this instance's. */
  readonly hop?: PartitionHop<CallContext>;
  /** The largest message that the other instances take; undefined: the default. */
  readonly maximumMessageBytes?: number;
  /** Refuses while no capability has accounts. */
  readonly transferMoney: TransferMoney;
}

export interface CommandPart {
  readonly capability: Capability;
  /** Loads what it needs beside the log, before any partition is loaded. Throws ConfigurationError if that is not as it must be. */
  prepare?(): Promise<void>;
  services(context: CommandContext): readonly ServiceRegistration[];
  /** What it gives to the others, if its aggregates are accounts; called once, with the same context as `services`. */
  transferMoney?(context: CommandContext): TransferMoney;
  /**
   * Ends the work that it began by itself. Called as soon as the process is asked to stop, while it still owns partitions, and again before it stops.
   * @param graceMs how long the work may still go on.
   */
  drain?(graceMs: number): Promise<void>;
  stop?(): Promise<void>;
}

/** A method of timers that does what a caller was promised, and that sets its timer again until it has. */
export interface ChangeTaskMethod {
  readonly method: string;
  /** What the payload of its timer says of the task. Throws for one that does not decode. */
  read(payload: Uint8Array): ChangeTaskState;
}

export interface ChangeTaskState {
  /** As callers know it; unique in its aggregate. */
  readonly taskId: string;
  readonly takenAtUs: number;
  /** How often it was executed. */
  readonly attempts: number;
  /** Why the last execution did not end it; empty: there was none. */
  readonly reason: string;
}

export interface CommandCapability {
  /** "account". */
  readonly name: string;
  /** The services that it has; known before anything is opened. */
  readonly definitions: readonly ServiceDefinition[];
  /** Rows that it reads from the read store; absent: none. */
  readonly readCollections?: readonly CollectionDefinition[];
  /** Change tasks: timers by which it does what callers were promised. They are listed with what is unfinished. Absent: none. */
  readonly changeTasks?: readonly ChangeTaskMethod[];
  create(context: CapabilityContext): CommandPart;
}
