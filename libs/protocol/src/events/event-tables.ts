/** The tables of every capability, for readers that meet events of all of them. */
import { accountEvents } from '../account/account-events';
import { logEvents } from '../log/log-events';
import type { EventCatalogue } from './event-table';

export const EVENT_TABLES: readonly EventCatalogue[] = [logEvents, accountEvents];

/** The table of the type's capability; undefined: this version of the program has no such capability. */
export function eventTableOf(type: string): EventCatalogue | undefined {
  return EVENT_TABLES.find((table) => table.owns(type));
}
