/** The events of the engine itself. */
import { EventDefinition } from '../events/event-definition';
import { EventTable } from '../events/event-table';
import { OwnershipTaken, RequestDecided } from '../generated/index.sluice.log.v1';

export const logEvents = new EventTable('log', {
  OwnershipTaken: EventDefinition.first('sluice.log.v1.OwnershipTaken', OwnershipTaken),
  RequestDecided: EventDefinition.first('sluice.log.v1.RequestDecided', RequestDecided),
});
