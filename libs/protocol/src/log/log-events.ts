/** The events of the engine itself. */
import { EventDefinition } from '../events/event-definition';
import { EventTable } from '../events/event-table';
import { OwnershipTaken, RequestDecided, TimersCancelled, TimersFired, TimersSet } from '../generated/index.sluice.log.v1';

export const logEvents = new EventTable('log', {
  OwnershipTaken: EventDefinition.first('sluice.log.v1.OwnershipTaken', OwnershipTaken),
  RequestDecided: EventDefinition.first('sluice.log.v1.RequestDecided', RequestDecided),
  TimersSet: EventDefinition.first('sluice.log.v1.TimersSet', TimersSet),
  TimersCancelled: EventDefinition.first('sluice.log.v1.TimersCancelled', TimersCancelled),
  TimersFired: EventDefinition.first('sluice.log.v1.TimersFired', TimersFired),
});
