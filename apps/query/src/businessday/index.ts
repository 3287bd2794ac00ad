/** Business days, as the query service plugs them in. */
import type { ReadCopy, Row } from '@sluice/ports';
import { BATCH_RUNS, projection } from '@sluice/projections/businessday';
import { businessdaypb } from '@sluice/protocol/businessday';
import type { QueryCapability } from '../query-capability';
import { type Seen, SharedWatches } from '../shared-watches';
import { businessDayQueryService } from './business-day-query-service';
import { productQueryService } from './product-query-service';

export const queryCapability: QueryCapability = {
  name: 'businessday',
  projection,
  definitions: [businessdaypb.BusinessDayQueryServiceService, businessdaypb.ProductQueryServiceService],
  start({ feed, freshness, clock, logger }) {
    const trouble = (error: unknown): void => logger.warn({ error }, 'watched runs cannot be read; trying again');
    const runs = new SharedWatches(feed, clock, readChangedRuns, trouble);
    return { registrations: [businessDayQueryService({ freshness, clock, runs }), productQueryService(freshness)], stop: () => runs.stop() };
  },
};

async function readChangedRuns(copy: ReadCopy, known: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, Seen<Row>>> {
  const changed = new Map<string, Seen<Row>>();
  for (const row of await copy.getMany(BATCH_RUNS.name, [...known.keys()])) {
    const runId = row?.run_id as string;
    if (row !== undefined && row.sequence !== known.get(runId)) changed.set(runId, { state: row, sequence: row.sequence as number });
  }
  return changed;
}
