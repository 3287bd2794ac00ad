/** An event of reservations as the change of one row. */
import type { DecodedCommit, EventRecord } from '@sluice/protocol';
import { reservationEvents } from '@sluice/protocol/reservation';
import { type HandlersOf, readerBy } from './event-kinds';

/** The row's state after the event. Throws for an event that cannot follow. */
export type Step<State> = (before: State | undefined, atUs: number) => State;

export interface RowChange<State> {
  readonly key: string;
  readonly step: Step<State>;
}

/** A change of a row that must be there. */
export function changed<State extends object>(key: string, fieldsOf: (before: State, atUs: number) => Partial<State>): RowChange<State> {
  const step: Step<State> = (before, atUs) => {
    if (before === undefined) throw new Error(`${key} has events before its first one`);
    return { ...before, ...fieldsOf(before, atUs) };
  };
  return { key, step };
}

/** Reads events for `projectedRows` by the handlers. */
export function changesBy<State>(handlers: HandlersOf<RowChange<State>>) {
  const read = readerBy(handlers);
  return (commit: DecodedCommit, event: EventRecord, visit: (key: string, change: Step<State>) => void): boolean => {
    if (!reservationEvents.owns(event.type)) return false;
    const change = read(commit, event);
    if (change !== undefined) visit(change.key, change.step);
    return true;
  };
}

/** `evolve` of `projectedRows`. */
export function evolveByStep<State>(state: State | undefined, step: Step<State>, { committedAtUs }: DecodedCommit): State {
  return step(state, committedAtUs);
}
