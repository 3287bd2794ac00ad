/** The tables of every capability, for readers that meet events of all of them. */
import { PROTOCOL_CAPABILITIES } from '../capabilities.generated';
import { logEvents } from '../log/log-events';
import type { EventCatalogue } from './event-table';

export const EVENT_TABLES: readonly EventCatalogue[] = [logEvents, ...PROTOCOL_CAPABILITIES.map(({ events }) => events)];

/** The table of the type's capability; undefined: this version of the program has no such capability. */
export function eventTableOf(type: string): EventCatalogue | undefined {
  return EVENT_TABLES.find((table) => table.owns(type));
}
