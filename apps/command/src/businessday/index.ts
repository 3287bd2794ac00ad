/** Business days, as the command service plugs them in. */
import { aggregateCapability } from '@sluice/engine';
import { businessdaypb } from '@sluice/protocol/businessday';
import type { CommandCapability } from '../command-capability';
import { commandMethod } from '../methods/command-method';
import { commandService } from '../methods/command-service';
import { branchAggregate } from './branch-aggregate';
import { BusinessDayMeter } from './business-day-meter';
import { catalogueAggregate } from './catalogue-aggregate';
import { DatesInForce } from './dates-in-force';

const { BusinessDayCommandServiceService: branches, ProductCommandServiceService: products } = businessdaypb;

export const commandCapability: CommandCapability = {
  name: 'businessday',
  definitions: [branches, products],
  create({ clock, metrics, partitions, trouble }) {
    const dates = new DatesInForce(clock);
    const meter = metrics.enabled ? new BusinessDayMeter(metrics) : undefined;
    const branch = branchAggregate({
      partitions,
      happened: (branchId, events) => {
        meter?.count(events);
        if (events.some(({ kind }) => kind === 'datesInForce')) dates.inForce(branchId);
      },
      refused: (branchId, method, reason, partition) => {
        meter?.refused(1);
        trouble(partition, 'a step of an end of day was refused and is asked for again', new Error(`${method} of branch ${branchId}: ${reason}`));
      },
    });
    let endShowing: (() => void) | undefined;
    const capability = aggregateCapability({ aggregates: [branch, catalogueAggregate], trouble });
    return {
      capability,
      services(context) {
        dates.runOn(context);
        endShowing = meter?.show(context.engine);
        return [
          commandService('sluice.businessday.v1.BusinessDayCommandService', branches, {
            registerBranch: commandMethod(context, capability, 'RegisterBranch', branches.registerBranch, dates.awaited),
            updateBranch: commandMethod(context, capability, 'UpdateBranch', branches.updateBranch),
            cutDay: commandMethod(context, capability, 'CutDay', branches.cutDay, dates.awaited),
            runBatch: commandMethod(context, capability, 'RunBatch', branches.runBatch),
            beginDay: commandMethod(context, capability, 'BeginDay', branches.beginDay),
            runEndOfDay: commandMethod(context, capability, 'RunEndOfDay', branches.runEndOfDay),
            setDates: commandMethod(context, capability, 'SetDates', branches.setDates, dates.awaited),
            pauseBatch: commandMethod(context, capability, 'PauseBatch', branches.pauseBatch),
            resumeBatch: commandMethod(context, capability, 'ResumeBatch', branches.resumeBatch),
          }),
          commandService('sluice.businessday.v1.ProductCommandService', products, {
            createProduct: commandMethod(context, capability, 'CreateProduct', products.createProduct),
            updateProduct: commandMethod(context, capability, 'UpdateProduct', products.updateProduct),
          }),
        ];
      },
      stop: async () => endShowing?.(),
    };
  },
};
