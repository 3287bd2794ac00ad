/**
 * What a capability says about one kind of its aggregates. The engine does the rest: it finds the aggregate, keeps it packed, records
 * every verdict, answers repeats, snapshots and replays.
 *
 *   request ──read──▶ command ──decide──▶ events, reply, what is owed, timers ──evolve──▶ state
 *                                    └──▶ rejection
 *
 * `decide` changes nothing and depends on nothing but what it is given. `evolve` may change the state in place.
 */
import { requestDigest, type EventPlace, type EventRecord, MalformedMessageError } from '@sluice/protocol';
import type { SnapshotSession } from '../capability';
import type { OwedDelivery, SettledDelivery } from '../internal/engine-room';
import type { InternalCommand } from '../internal/internal-command';

/** Who asks: a caller, the engine for somebody, or the verdict of a delivery that the aggregate owed. */
export type RequestOrigin = 'caller' | InternalCommand['origin'] | 'settled';

export interface DecisionContext {
  readonly origin: RequestOrigin;
  /** Of the request, of the delivery, of the timer with its due time, or of the step of a sweep. */
  readonly requestId: string;
  /** Commit time of the turn, microseconds; never before an earlier one's. */
  readonly committedAtUs: number;
  /** Sequence of the turn's commit, if it records anything. */
  readonly sequence: number;
  /** What another capability lets its siblings read of its state in this partition; undefined: nothing. */
  sibling(capability: string): unknown;
}

/** A command for another aggregate, in whatever partition that is. */
export type Owed = Omit<OwedDelivery, 'owedBy'>;

/** A command to the aggregate itself at a time, by one of its methods. Setting a timer again replaces it; cancelling one that is not pending does nothing. */
export type TimerChange =
  | { readonly kind: 'set'; readonly timerId: string; readonly dueAtUs: number; readonly method: string; readonly payload: Uint8Array }
  | { readonly kind: 'cancel'; readonly timerId: string };

/** What follows from a decision. */
export interface Consequences<Event> {
  readonly events: readonly Event[];
  readonly owes?: readonly Owed[];
  readonly timers?: readonly TimerChange[];
  /** Called when the commit is durable, and never if it is lost: hands a task to a worker. Must not throw. */
  readonly handOut?: () => void;
}

export interface Acceptance<Event> extends Consequences<Event> {
  readonly accepted: true;
  /** The response message of the method, encoded without position token and repeated flag. Undefined: an empty one. */
  readonly reply?: Uint8Array;
}

export interface Rejection {
  readonly accepted: false;
  readonly reason: string;
  /** True: the answer depends on the aggregate's state, so repeats get it for ever. False: the same request may pass when it comes again. */
  readonly recorded: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
}

export type Decision<Event> = Acceptance<Event> | Rejection;

/** State to bytes and back, for the packed table and for snapshots. */
export interface StateCodec<State> {
  /** Of what `encode` writes; it rises with every change of the form. */
  readonly version: number;
  encode(state: State): Uint8Array;
  /** @param version in which it was encoded: this one or an older one. */
  decode(bytes: Uint8Array, version: number, key: string): State;
}

/**
 * For few, large aggregates, like queues: a state stays in memory as it is, and snapshots take it in steps. The state itself sees to it that
 * what changes before its step comes is in the snapshot as it was.
 */
export interface StateSteps<State> {
  /** Of the blocks that a snapshot makes; it rises with every change of the form. */
  readonly version: number;
  /** Begins a snapshot of the state as it is now. Blocks are not empty. */
  beginSnapshot(state: State): SnapshotSession;
  /** Takes a block into the state, which began as `initialState`. Blocks come in their order. @param version in which it was made. */
  restore(state: State, block: Uint8Array, version: number): void;
}

/** Where an event stands. */
export interface CommitPlace {
  readonly sequence: number;
  /** Microseconds. */
  readonly committedAtUs: number;
}

/** Events between the log and the domain. */
export interface EventCodec<Event> {
  write(event: Event, key: string): EventRecord;
  /** Throws UnknownEventError. */
  read(event: EventRecord, place: EventPlace): Event;
}

/** A request, as far as the engine has to know it. */
export interface RequestBody<Command> {
  readonly key: string;
  /** Name of the message's field with the key, like "counter_id". */
  readonly keyField: string;
  /** The key is hashed whole, braces included. Absent: text in braces is what is hashed. */
  readonly wholeKey?: boolean;
  readonly requestId: string;
  readonly command: Command;
  readonly sizeBytes: number;
  /** What its events and its verdict take of a commit at most. */
  readonly recordBytes: number;
  /** By which a repeat is recognised. */
  digest(): Uint8Array;
}

/** A method of an aggregate: callers, deliveries and timers send the same message. */
export interface AggregateCommand<Command> {
  /** Throws MalformedMessageError for bytes that are not the message, and what the capability throws for a wrong shape. */
  read(bytes: Uint8Array): RequestBody<Command>;
}

export interface CommandMessage<Request, Command> extends AggregateCommand<Command> {
  /** The same for a message that is decoded already. */
  bodyOf(request: Request): RequestBody<Command>;
}

export interface CommandMessageOptions<Request, Command> {
  /** Full name of the message, like "sluice.counter.v1.AddRequest": part of the digest, so it stays. */
  readonly messageName: string;
  /** As ts-proto generates it. */
  readonly codec: { encode(request: Request): { finish(): Uint8Array }; decode(bytes: Uint8Array): Request };
  /** Name of the field with the key, like "counter_id". The id of a request is always in "request_id". */
  readonly keyField: string;
  /** The key is hashed whole, braces included. */
  readonly wholeKey?: boolean;
  key(request: Request): string;
  requestId(request: Request): string;
  /** Throws for a wrong shape: a caller gets that error, a delivery waits for a version of the program that takes it. */
  command(request: Request): Command;
  /** What the events take of a commit at most; default: twice the request and 1 KiB. */
  recordBytes?(request: Request): number;
}

const RECORD_BYTES = 1_024;

export function commandMessage<Request, Command>(options: CommandMessageOptions<Request, Command>): CommandMessage<Request, Command> {
  const { messageName, codec } = options;
  const bodyWith = (request: Request, sizeBytes: number): RequestBody<Command> => ({
    key: options.key(request),
    keyField: options.keyField,
    wholeKey: options.wholeKey ?? false,
    requestId: options.requestId(request),
    command: options.command(request),
    sizeBytes,
    recordBytes: options.recordBytes?.(request) ?? 2 * sizeBytes + RECORD_BYTES,
    digest: () => requestDigest(messageName, codec, request),
  });
  return {
    bodyOf: (request) => bodyWith(request, codec.encode(request).finish().length),
    read: (bytes) => {
      let request: Request;
      try {
        request = codec.decode(bytes);
      } catch (error) {
        throw new MalformedMessageError(error instanceof Error ? error.message : String(error));
      }
      return bodyWith(request, bytes.length);
    },
  };
}

export interface AggregateDefinition<State, Command, Event> {
  /** Like "counter": prefix of its event types. */
  readonly capability: string;
  /** Which of the capability's kinds of aggregates. */
  readonly aggregate: string;
  readonly record: StateCodec<State> | StateSteps<State>;
  readonly events: EventCodec<Event>;
  /** By name of the method; a name is used once in a capability. */
  readonly commands: Readonly<Record<string, AggregateCommand<Command>>>;
  /** The state of an aggregate of which nothing is recorded. */
  initialState(key: string): State;
  decide(state: State, command: Command, context: DecisionContext): Decision<Event>;
  /** The state after the event: the same one changed in place, or another one. */
  evolve(state: State, event: Event, place: CommitPlace): State;
  /**
   * What requests of one turn recorded, in its order, as fewer events that evolve the state in the same way. Where it is defined, the events of an
   * aggregate are written together at the end of the turn, and their verdicts as one event. Undefined: each request leaves its own.
   */
  gather?(events: readonly Event[]): readonly Event[];
  /**
   * What is added up over all aggregates of the kind in a partition, like how many requests wait: a whole number, 0 of a new aggregate. The engine asks before
   * and after each event, so it must be cheap. Not for a kind that gathers. Undefined: nothing is added up.
   */
  total?(state: State): number;
  /** A delivery that this aggregate owed has its verdict. */
  settled?(state: State, delivery: SettledDelivery, context: DecisionContext): Consequences<Event>;
}

export type AnyAggregate = AggregateDefinition<unknown, unknown, unknown>;
