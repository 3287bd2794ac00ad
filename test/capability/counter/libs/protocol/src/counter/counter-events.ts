/** The events of counters. */
import { EventDefinition } from '../events/event-definition';
import { EventTable } from '../events/event-table';
import { CounterAdded } from '../generated/index.sluice.counter.v1';

export const counterEvents = new EventTable('counter', {
  CounterAdded: EventDefinition.first('sluice.counter.v1.CounterAdded', CounterAdded),
});
