/** `sluice.account.v1.AccountQueryService`: every read of accounts, from the read store alone. */
import { partitionOfKey } from '@sluice/domain';
import type { ReadCopy, ReadStore } from '@sluice/ports';
import { projectionId } from '@sluice/projections';
import {
  ACCOUNT_PROFILES,
  type AccountSnapshot,
  closingBalanceAt,
  EntryChain,
  projection,
  readAccount,
  readAccounts,
  readAccountsOfOneMoment,
} from '@sluice/projections/account';
import { timestampFromUs } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { type CallContext, invalidRequest, refusal, serverStream, type ServiceRegistration, unary } from '@sluice/service';
import { findMatching } from '../filtered-rows';
import { type Freshness, mergedToken } from '../freshness';
import { decodePageToken, encodePageToken } from '../page-token';
import { placeOfPage, tokenOfPlace } from '../row-page-token';
import { checkedDate, checkedName, checkedPageSize, checkedTimeUs, checkKey } from '../request-shape';
import { accountMessage, entryMessage } from './account-message';
import type { SharedWatches } from '../shared-watches';
import { checkFilter, MAXIMUM_BATCH_ACCOUNTS } from './account-request-shape';
import type { SegmentCache } from './segment-cache';
import { readStatement } from './statement';
import { transferQueries } from './transfer-queries';

const STATUSES = { names: accountpb.AccountStatus, prefix: 'ACCOUNT_STATUS_', what: 'a status' };

const ACCOUNT_PROJECTION = projectionId(projection);

export interface AccountQueryOptions {
  readonly store: ReadStore;
  readonly freshness: Freshness;
  readonly segments: SegmentCache;
  readonly watches: SharedWatches<AccountSnapshot>;
}

export function accountQueryService({ store, freshness, segments, watches }: AccountQueryOptions): ServiceRegistration {
  const find = async (copy: ReadCopy, accountId: string, withHolds: boolean, call: CallContext): Promise<AccountSnapshot> => {
    const snapshot = await readAccount(copy, accountId, withHolds, freshness.pauseBetweenReads(copy, call));
    if (snapshot === undefined) throw refusal('ACCOUNT_NOT_FOUND', `there is no account "${accountId}"`, { account_id: accountId });
    return snapshot;
  };
  const chainOf = (copy: ReadCopy, { account }: AccountSnapshot): EntryChain => new EntryChain(account.accountId, account.spine, segments.over(copy));

  const implementation: accountpb.AccountQueryServiceServer = {
    ...transferQueries(freshness),

    getAccount: unary<accountpb.GetAccountRequest, accountpb.GetAccountResponse>(async (request, call) => {
      const { accountId } = request;
      checkKey('account_id', accountId);
      const account = accountMessage(await find(await freshness.copyFor(request, call), accountId, true, call));
      return { account, positionToken: mergedToken(request) };
    }),

    batchGetAccounts: unary<accountpb.BatchGetAccountsRequest, accountpb.BatchGetAccountsResponse>(async (request, call) => {
      const { accountIds } = request;
      if (accountIds.length < 1 || accountIds.length > MAXIMUM_BATCH_ACCOUNTS)
        throw invalidRequest('account_ids', `are 1 to ${MAXIMUM_BATCH_ACCOUNTS}, not ${accountIds.length}`);
      accountIds.forEach((accountId, index) => checkKey(`account_ids[${index}]`, accountId));
      // A store that no projector has been at has no rows, of whatever partition.
      const [copy, partitions = 1] = await Promise.all([freshness.copyFor(request, call), store.partitions()]);
      const scope = { copy, projection: ACCOUNT_PROJECTION, partitions };
      const snapshots = await readAccountsOfOneMoment(scope, accountIds, freshness.pauseBetweenReads(copy, call));
      return {
        accounts: snapshots.flatMap((snapshot) => (snapshot === undefined ? [] : [accountMessage(snapshot)])),
        notFound: accountIds.filter((_, index) => snapshots[index] === undefined),
        positionToken: mergedToken(request),
      };
    }),

    listAccounts: unary<accountpb.ListAccountsRequest, accountpb.ListAccountsResponse>(async (request, call) => {
      const filters = filtersOf(request);
      const limit = checkedPageSize(request.pageSize);
      const scope = ['accounts', Object.fromEntries(filters.map(({ field, value }) => [field, value]))];
      const [first, ...others] = filters;
      const query = { collection: ACCOUNT_PROFILES.name, ...(first && { index: first.index, equals: { [first.field]: first.value } }) };
      const after = placeOfPage(ACCOUNT_PROFILES, query, scope, request.pageToken);
      const copy = await freshness.copyFor(request, call);
      const { rows, next } = await findMatching(copy, ACCOUNT_PROFILES, { ...query, after, limit }, others);
      const accountIds = rows.map((row) => row[ACCOUNT_PROFILES.key] as string);
      const snapshots = accountIds.length === 0 ? [] : await readAccounts(copy, accountIds, false, freshness.pauseBetweenReads(copy, call));
      return {
        accounts: snapshots.flatMap((snapshot) => (snapshot === undefined ? [] : [accountMessage(snapshot)])),
        nextPageToken: tokenOfPlace(scope, next),
        positionToken: mergedToken(request),
      };
    }),

    listEntries: unary<accountpb.ListEntriesRequest, accountpb.ListEntriesResponse>(async (request, call) => {
      const { accountId, includeRejections, order } = request;
      checkKey('account_id', accountId);
      if (accountpb.EntryOrder[order] === undefined) throw invalidRequest('order', `${order} is not an order`);
      const oldestFirst = order === accountpb.EntryOrder.ENTRY_ORDER_OLDEST_FIRST;
      const pageSize = checkedPageSize(request.pageSize);
      const fromUs = request.fromTime && checkedTimeUs('from_time', request.fromTime);
      const toUs = request.toTime && checkedTimeUs('to_time', request.toTime);
      const scope = ['entries', accountId, oldestFirst, includeRejections, fromUs, toUs];
      const cursor = decodePageToken(scope, request.pageToken);
      const copy = await freshness.copyFor(request, call);
      const snapshot = await find(copy, accountId, false, call);
      const { recordCount, entryCount } = snapshot.account;
      const start = cursor === undefined ? undefined : Number(cursor);
      const page = await readStatement(
        chainOf(copy, snapshot),
        { record: recordCount, entry: entryCount },
        { oldestFirst, includeRejections, fromUs, toUs, pageSize, start },
      );
      return {
        entries: page.records.map((record) => entryMessage(snapshot.profile.partition, record)),
        nextPageToken: page.next === undefined ? '' : encodePageToken(scope, String(page.next)),
        positionToken: mergedToken(request),
      };
    }),

    getBalanceAt: unary<accountpb.GetBalanceAtRequest, accountpb.GetBalanceAtResponse>(async (request, call) => {
      const { accountId, moment } = request;
      const positionToken = mergedToken(request);
      checkKey('account_id', accountId);
      if (moment === undefined) throw invalidRequest('moment', 'is missing: give a time, a sequence or a business date');
      if (moment.$case === 'time') {
        const timeUs = checkedTimeUs('time', moment.value);
        const copy = await freshness.copyFor(request, call);
        const snapshot = await find(copy, accountId, false, call);
        if (timeUs < snapshot.profile.openedAtUs) throw refusal('ACCOUNT_NOT_OPEN_THEN');
        return { ...(await balanceAt(snapshot, chainOf(copy, snapshot), (chain) => chain.momentBeforeTime(timeUs + 1))), positionToken };
      }
      if (moment.$case === 'businessDate') {
        const date = checkedDate('business_date', moment.value);
        const copy = await freshness.copyFor(request, call);
        const snapshot = await find(copy, accountId, false, call);
        const closing = await closingBalanceAt(copy, snapshot, date, segments.over(copy));
        if (closing.kind !== 'closed') throw refusal(closing.kind);
        return accountpb.GetBalanceAtResponse.fromPartial({ accountId, balanceMinor: closing.balanceMinor, unit: snapshot.profile.unit, positionToken });
      }
      if (moment.value < 1n || moment.value > Number.MAX_SAFE_INTEGER)
        throw invalidRequest('sequence', `is 1 to ${Number.MAX_SAFE_INTEGER}, not ${moment.value}`);
      const sequence = Number(moment.value);
      const partitions = await store.partitions();
      if (partitions === undefined) throw refusal('READ_BEHIND');
      const copy = await freshness.copyUpTo(partitionOfKey(Buffer.from(accountId, 'utf8'), partitions), sequence, request, call);
      const snapshot = await find(copy, accountId, false, call);
      if (sequence < snapshot.profile.openedSequence) throw refusal('ACCOUNT_NOT_OPEN_THEN');
      return { ...(await balanceAt(snapshot, chainOf(copy, snapshot), (chain) => chain.momentBeforeSequence(sequence + 1))), positionToken };
    }),

    watchAccount: serverStream<accountpb.WatchAccountRequest, accountpb.WatchAccountResponse>(async function* (request, call) {
      const { accountId } = request;
      checkKey('account_id', accountId);
      const positionToken = mergedToken(request);
      const now = await find(await freshness.copyFor(request, call), accountId, true, call);
      yield { account: accountMessage(now), positionToken };
      for await (const { state } of watches.watch(accountId, now.account.sequence, call.signal)) yield { account: accountMessage(state), positionToken };
    }),
  };
  return { name: 'sluice.account.v1.AccountQueryService', definition: accountpb.AccountQueryServiceService, implementation: { ...implementation } };
}

async function balanceAt(
  { account, profile }: AccountSnapshot,
  chain: EntryChain,
  seek: (chain: EntryChain) => ReturnType<EntryChain['momentBeforeTime']>,
): Promise<Omit<accountpb.GetBalanceAtResponse, 'positionToken'>> {
  const { accountId } = account;
  const { unit } = profile;
  const moment = await seek(chain);
  if (moment === undefined || moment.entryCount === 0) {
    const committedAt = timestampFromUs(profile.openedAtUs);
    return { accountId, balanceMinor: 0n, heldMinor: 0n, unit, entryNumber: 0n, committedAt, sequence: BigInt(profile.openedSequence) };
  }
  // A commit that only refused did not reach the balance: the one with the newest entry did.
  const [reached] = moment.changed ? [moment] : await chain.records('entry', moment.entryCount, moment.entryCount);
  const { committedAtUs, sequence } = reached ?? moment;
  return {
    accountId,
    balanceMinor: moment.balanceMinor,
    heldMinor: moment.heldMinor,
    unit,
    entryNumber: BigInt(moment.entryCount),
    committedAt: timestampFromUs(committedAtUs),
    sequence: BigInt(sequence),
  };
}

interface AccountFilter {
  readonly index: string;
  readonly field: string;
  readonly value: string;
}

/** What is asked for, the filter first that leaves the fewest accounts as a rule: through its index the page is read. */
function filtersOf({ branchId, product, status, unit }: accountpb.ListAccountsRequest): AccountFilter[] {
  const filters: AccountFilter[] = [
    { index: 'by_branch', field: 'branch_id', value: branchId },
    { index: 'by_product', field: 'product', value: product },
    { index: 'by_unit', field: 'unit', value: unit },
  ];
  for (const { field, value } of filters) checkFilter(field, value);
  return [...filters, { index: 'by_status', field: 'status', value: checkedName('status', STATUSES, status) }].filter(({ value }) => value !== '');
}
