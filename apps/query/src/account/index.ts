/** Accounts, as the query service plugs them in. */
import { projection } from '@sluice/projections/account';
import { accountpb } from '@sluice/protocol/account';
import type { QueryCapability } from '../query-capability';
import { accountQueryService } from './account-query-service';
import { SharedWatches } from '../shared-watches';
import { readChangedAccounts } from './changed-accounts';
import { SEGMENT_CACHE_BYTES, SegmentCache } from './segment-cache';

export const queryCapability: QueryCapability = {
  name: 'account',
  projection,
  definitions: [accountpb.AccountQueryServiceService],
  start({ store, feed, freshness, clock, logger }) {
    const watches = new SharedWatches(feed, clock, readChangedAccounts, (error) => logger.warn({ error }, 'watched accounts cannot be read; trying again'));
    const registration = accountQueryService({ store, freshness, segments: new SegmentCache(SEGMENT_CACHE_BYTES), watches });
    return { registrations: [registration], stop: () => watches.stop() };
  },
};
