/** An event as the change of one row: for projections of which each event changes at most one row of a kind. */
import type { DecodedCommit, EventDefinitions, EventHandlers, EventRecord, EventTable } from '@sluice/protocol';

/** The row's state after the event. Throws for an event that cannot follow. */
export type Step<State> = (before: State | undefined, atUs: number) => State;

export interface RowChange<State> {
  readonly key: string;
  readonly step: Step<State>;
}

/** What a kind of row makes of an event that does not concern it. */
export const passOver = (): undefined => undefined;

/** A change of a row that must be there. */
export function changed<State extends object>(key: string, fieldsOf: (before: State, atUs: number) => Partial<State>): RowChange<State> {
  const step: Step<State> = (before, atUs) => {
    if (before === undefined) throw new Error(`${key} has events before its first one`);
    return { ...before, ...fieldsOf(before, atUs) };
  };
  return { key, step };
}

/** Reads an event by the handlers; undefined: they pass it over. What they pass over is not decoded. Throws UnknownEventError. */
export function readerBy<Events extends EventDefinitions, Result>(
  table: EventTable<Events>,
  handlers: EventHandlers<Events, undefined, Result | undefined>,
): (commit: DecodedCommit, event: EventRecord) => Result | undefined {
  const names = Object.keys(handlers) as (keyof Events & string)[];
  const passedOver = new Set(names.filter((name) => (handlers[name] as unknown) === passOver).map((name) => table.written(name).type));
  // The rows that do not pass it over refuse a version that is not known.
  return (commit, event) => (passedOver.has(event.type) ? undefined : table.read<undefined, Result | undefined>(event, commit, handlers, undefined));
}

/** `read` of `projectedRows`. */
export function changesBy<Events extends EventDefinitions, State>(
  table: EventTable<Events>,
  handlers: EventHandlers<Events, undefined, RowChange<State> | undefined>,
): (commit: DecodedCommit, event: EventRecord, visit: (key: string, change: Step<State>) => void) => boolean {
  const read = readerBy(table, handlers);
  return (commit, event, visit) => {
    if (!table.owns(event.type)) return false;
    const change = read(commit, event);
    if (change !== undefined) visit(change.key, change.step);
    return true;
  };
}

/** `evolve` of `projectedRows`. */
export function evolveByStep<State>(state: State | undefined, step: Step<State>, { committedAtUs }: DecodedCommit): State {
  return step(state, committedAtUs);
}
