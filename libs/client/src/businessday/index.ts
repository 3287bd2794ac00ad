/** Business days, as the client plugs them in. */
import { logpb } from '@sluice/protocol';
import { businessdaypb } from '@sluice/protocol/businessday';
import type { ClientCapability } from '../client-capability';
import { BusinessDaysClient } from './business-days-client';
import { ProductsClient } from './products-client';

export const clientCapability: ClientCapability<{ readonly businessDays: BusinessDaysClient; readonly products: ProductsClient }> = {
  name: 'businessday',
  clients: ({ caller, positions, reads, command, query, projector }) => ({
    businessDays: new BusinessDaysClient({
      caller,
      commands: command(businessdaypb.BusinessDayCommandServiceClient),
      queries: query(businessdaypb.BusinessDayQueryServiceClient),
      log: projector(logpb.LogServiceClient),
      positions,
      reads,
    }),
    products: new ProductsClient({
      caller,
      commands: command(businessdaypb.ProductCommandServiceClient),
      queries: query(businessdaypb.ProductQueryServiceClient),
      positions,
      reads,
    }),
  }),
};
