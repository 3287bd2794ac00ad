/** Reservations, as the command service plugs them in. */
import { aggregateCapability } from '@sluice/engine';
import { reservationpb } from '@sluice/protocol/reservation';
import type { CommandCapability } from '../command-capability';
import { bulkCommandMethod } from '../methods/bulk-command-method';
import { commandMethod } from '../methods/command-method';
import { commandService } from '../methods/command-service';
import { associateBatchShape, reserveBatchShape } from './batch-shapes';
import { identityAggregate } from './identity-aggregate';
import { numberAggregate } from './number-aggregate';
import { OutcomeReplies } from './outcome-replies';
import { OutcomeWaiters } from './outcome-waiters';
import { ReservationMeter } from './reservation-meter';
import { resourceAggregate } from './resource-aggregate';

const { ReservationCommandServiceService: service } = reservationpb;

export const commandCapability: CommandCapability = {
  name: 'reservation',
  definitions: [service],
  create({ clock, metrics, trouble }) {
    const waiters = new OutcomeWaiters();
    const meter = metrics.enabled ? new ReservationMeter(metrics) : undefined;
    const aggregates = [
      identityAggregate({
        happened: (...what) => waiters.happened(...what),
        ...(meter && { counting: (identity, events) => meter.ofIdentity(identity, events) }),
      }),
      numberAggregate,
      resourceAggregate(meter && ((events) => meter.ofResource(events))),
    ];
    let endShowing: (() => void) | undefined;
    const capability = aggregateCapability({ aggregates, trouble });
    return {
      capability,
      services(context) {
        endShowing = meter?.show(context.engine);
        const { ofReserve, ofAssociate } = new OutcomeReplies(context, clock, waiters);
        return [
          commandService('sluice.reservation.v1.ReservationCommandService', service, {
            reserve: commandMethod(context, capability, 'Reserve', service.reserve, ofReserve),
            reserveBatch: bulkCommandMethod(context, capability, 'Reserve', service.reserveBatch, reserveBatchShape(ofReserve)),
            associate: commandMethod(context, capability, 'Associate', service.associate, ofAssociate),
            associateBatch: bulkCommandMethod(context, capability, 'Associate', service.associateBatch, associateBatchShape(ofAssociate)),
            complete: commandMethod(context, capability, 'Complete', service.complete),
            cancel: commandMethod(context, capability, 'Cancel', service.cancel),
            extendHold: commandMethod(context, capability, 'ExtendHold', service.extendHold),
            setCapacity: commandMethod(context, capability, 'SetCapacity', service.setCapacity),
          }),
        ];
      },
      stop: async () => endShowing?.(),
    };
  },
};
