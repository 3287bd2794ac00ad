/**
 * The events of one capability. Replay, answers to repeats, projections and views read events through its table and nothing else,
 * so none of them decodes an event without looking at its version.
 *
 * A type is the capability's name and the event's: "account.AccountOpened". An event that the table does not know stops its
 * reader: readers are deployed before writers.
 */
import type { EventRecord } from '../commit/commit-reader';
import type { EventDefinition } from './event-definition';

/** Where an event stands in the log. */
export interface EventPlace {
  readonly partition: number;
  readonly sequence: number;
}

/** An event of a type or a version that this version of the program cannot read. */
export class UnknownEventError extends Error {
  constructor(
    readonly partition: number,
    readonly sequence: number,
    readonly type: string,
    readonly version: number,
  ) {
    super(
      `partition ${partition}, sequence ${sequence}: event "${type}" version ${version} is not known to this version of Sluice; deploy readers before writers`,
    );
    this.name = 'UnknownEventError';
  }
}

export type EventDefinitions = Readonly<Record<string, EventDefinition<unknown>>>;
type CurrentOf<Definition> = Definition extends EventDefinition<infer Current> ? Current : never;

/** What a reader does with each event of the table, in its newest version. */
export type EventHandlers<Events extends EventDefinitions, Context, Result> = {
  readonly [Name in keyof Events]: (current: CurrentOf<Events[Name]>, context: Context) => Result;
};

/** The handlers for the events of a table. */
export type EventHandlersOf<Table, Context, Result> = Table extends EventTable<infer Events> ? EventHandlers<Events, Context, Result> : never;

/** A table for readers that hand events on, or show them, without knowing what they mean. */
export type EventCatalogue = Pick<EventTable<EventDefinitions>, 'capability' | 'owns' | 'assertKnown' | 'known' | 'messageName' | 'readable'>;

export class EventTable<Events extends EventDefinitions> {
  private readonly names: ReadonlyMap<string, keyof Events & string>;

  constructor(
    /** Like "account". */
    readonly capability: string,
    private readonly events: Events,
  ) {
    this.names = new Map(Object.keys(events).map((name) => [this.typeOf(name), name]));
  }

  /** Whether the type is one of this capability, known or not. */
  owns(type: string): boolean {
    return type.startsWith(this.capability) && type[this.capability.length] === '.';
  }

  /** Hands the event to the handler of its type. Throws UnknownEventError. */
  read<Context, Result>(event: EventRecord, place: EventPlace, handlers: EventHandlers<Events, Context, Result>, context: Context): Result {
    const name = this.names.get(event.type);
    const version = name === undefined ? undefined : this.events[name]?.version(event.version);
    if (name === undefined || version === undefined) throw new UnknownEventError(place.partition, place.sequence, event.type, event.version);
    return handlers[name](version.read(event.payload) as CurrentOf<Events[keyof Events & string]>, context);
  }

  /** The event if it has this name, in its newest version; undefined for any other. Throws UnknownEventError for a version that is not known. */
  readOnly<Name extends keyof Events & string>(name: Name, event: EventRecord, place: EventPlace): CurrentOf<Events[Name]> | undefined {
    if (this.names.get(event.type) !== name) return undefined;
    const version = this.events[name]?.version(event.version);
    if (version === undefined) throw new UnknownEventError(place.partition, place.sequence, event.type, event.version);
    return version.read(event.payload) as CurrentOf<Events[Name]>;
  }

  /** Throws UnknownEventError. */
  assertKnown(event: EventRecord, place: EventPlace): void {
    if (this.find(event.type, event.version) === undefined) throw new UnknownEventError(place.partition, place.sequence, event.type, event.version);
  }

  /** The event as it is written: in its newest version. */
  record<Name extends keyof Events & string>(name: Name, current: CurrentOf<Events[Name]>): EventRecord {
    return { ...this.written(name), payload: (this.events[name] as EventDefinition<unknown>).encode(current) };
  }

  /** Type and version in which the event is written. */
  written(name: keyof Events & string): Omit<EventRecord, 'payload'> {
    return { type: this.typeOf(name), version: (this.events[name] as EventDefinition<unknown>).newest };
  }

  /** Every event with every version that can be read. */
  known(): { readonly type: string; readonly version: number }[] {
    return Object.entries(this.events).flatMap(([name, { newest }]) =>
      Array.from({ length: newest }, (_, at) => ({ type: this.typeOf(name), version: at + 1 })),
    );
  }

  /** Full name of the event's proto message; undefined for an event that is not known. */
  messageName(type: string, version: number): string | undefined {
    return this.find(type, version)?.messageName;
  }

  /** The fields as they were written, for people; undefined for an event that is not known. */
  readable(type: string, version: number, payload: Uint8Array): unknown {
    return this.find(type, version)?.readable(payload);
  }

  private find(type: string, version: number): ReturnType<EventDefinition<unknown>['version']> {
    const name = this.names.get(type);
    return name === undefined ? undefined : this.events[name]?.version(version);
  }

  private typeOf(name: string): string {
    return `${this.capability}.${name}`;
  }
}
