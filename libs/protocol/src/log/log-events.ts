/** The events of the engine itself. */
import { encodedForm, EventDefinition } from '../events/event-definition';
import { EventTable } from '../events/event-table';
import {
  DeliveriesDead,
  DeliveriesOwed,
  DeliveriesRedriven,
  DeliveriesSettled,
  DeliveriesTaken,
  OwnershipTaken,
  RequestDecided,
  RequestsDecided,
  TimersCancelled,
  TimersFired,
  TimersSet,
} from '../generated/index.sluice.log.v1';

export const logEvents = new EventTable('log', {
  OwnershipTaken: EventDefinition.first('sluice.log.v1.OwnershipTaken', OwnershipTaken),
  RequestDecided: EventDefinition.first('sluice.log.v1.RequestDecided', RequestDecided),
  RequestsDecided: EventDefinition.first('sluice.log.v1.RequestsDecided', encodedForm(RequestsDecided)),
  DeliveriesOwed: EventDefinition.first('sluice.log.v1.DeliveriesOwed', encodedForm(DeliveriesOwed)),
  DeliveriesTaken: EventDefinition.first('sluice.log.v1.DeliveriesTaken', DeliveriesTaken),
  DeliveriesSettled: EventDefinition.first('sluice.log.v1.DeliveriesSettled', DeliveriesSettled),
  DeliveriesDead: EventDefinition.first('sluice.log.v1.DeliveriesDead', DeliveriesDead),
  DeliveriesRedriven: EventDefinition.first('sluice.log.v1.DeliveriesRedriven', DeliveriesRedriven),
  TimersSet: EventDefinition.first('sluice.log.v1.TimersSet', TimersSet),
  TimersCancelled: EventDefinition.first('sluice.log.v1.TimersCancelled', TimersCancelled),
  TimersFired: EventDefinition.first('sluice.log.v1.TimersFired', TimersFired),
});
