/** Counters, as the query service plugs them in. */
import { projection } from '@sluice/projections/counter';
import { counterpb } from '@sluice/protocol/counter';
import type { QueryCapability } from '../query-capability';
import { counterQueryService } from './counter-query-service';

export const queryCapability: QueryCapability = {
  name: 'counter',
  projection,
  definitions: [counterpb.CounterQueryServiceService],
  start: ({ freshness }) => ({ registrations: [counterQueryService(freshness)], stop: async () => undefined }),
};
