/** Counters, as the command service plugs them in. */
import { aggregateCapability } from '@sluice/engine';
import { counterpb } from '@sluice/protocol/counter';
import type { CommandCapability } from '../command-capability';
import { commandMethod } from '../methods/command-method';
import { commandService } from '../methods/command-service';
import { counterAggregate } from './counter-aggregate';

const { CounterCommandServiceService: service } = counterpb;

export const commandCapability: CommandCapability = {
  name: 'counter',
  definitions: [service],
  create({ settings, trouble }) {
    const capability = aggregateCapability({ aggregates: [counterAggregate(settings.counterLargestAddition)], trouble });
    return {
      capability,
      services: (context) => [
        commandService('sluice.counter.v1.CounterCommandService', service, { add: commandMethod(context, capability, 'Add', service.add) }),
      ],
    };
  },
};
