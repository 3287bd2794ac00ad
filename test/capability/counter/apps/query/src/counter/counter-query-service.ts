/** `sluice.counter.v1.CounterQueryService`: every read of counters, from the read store alone. */
import { COUNTER_TOTALS, COUNTERS, counterOf, totalsOf } from '@sluice/projections/counter';
import { rowsOf } from '@sluice/projections';
import { counterpb } from '@sluice/protocol/counter';
import { refusal, type ServiceRegistration, unary } from '@sluice/service';
import type { Freshness } from '../freshness';
import { checkKey } from '../request-shape';

export function counterQueryService(freshness: Freshness): ServiceRegistration {
  const implementation: counterpb.CounterQueryServiceServer = {
    getCounter: unary<counterpb.GetCounterRequest, counterpb.GetCounterResponse>(async (request, call) => {
      const { counterId } = request;
      checkKey('counter_id', counterId);
      const copy = await freshness.copyFor(request, call);
      const row = await copy.get(COUNTERS.name, counterId);
      if (row === undefined) throw refusal('COUNTER_NOT_FOUND', `there is no counter "${counterId}"`, { counter_id: counterId });
      const { value, additions } = counterOf(row);
      return { counterId, value, additions: BigInt(additions), sequence: BigInt(row.sequence as number) };
    }),

    getTotals: unary<counterpb.GetTotalsRequest, counterpb.GetTotalsResponse>(async (request, call) => {
      const copy = await freshness.copyFor(request, call);
      let counters = 0n;
      let value = 0n;
      for await (const page of rowsOf(copy, { collection: COUNTER_TOTALS.name })) {
        for (const totals of page.map(totalsOf)) {
          counters += BigInt(totals.counters);
          value += totals.value;
        }
      }
      return { counters, value };
    }),
  };
  return { name: 'sluice.counter.v1.CounterQueryService', definition: counterpb.CounterQueryServiceService, implementation: { ...implementation } };
}
