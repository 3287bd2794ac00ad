/** Reads of transfers: one by its id, and listings by debited account, target and state. */
import { TRANSFERS, transferId, transferRowOf, type TransferRow } from '@sluice/projections/account';
import { timestampFromUs } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { invalidRequest, refusal, unary } from '@sluice/service';
import { findMatching } from '../filtered-rows';
import { type Freshness, mergedToken } from '../freshness';
import { checkedPageSize, checkKey } from '../request-shape';
import { placeOfPage, tokenOfPlace } from '../row-page-token';
import { checkFilter } from './account-request-shape';

export function transferQueries(freshness: Freshness): Pick<accountpb.AccountQueryServiceServer, 'getTransfer' | 'listTransfers'> {
  return {
    getTransfer: unary<accountpb.GetTransferRequest, accountpb.GetTransferResponse>(async (request, call) => {
      const { fromAccountId, requestId } = request;
      checkKey('from_account_id', fromAccountId);
      checkKey('request_id', requestId);
      const copy = await freshness.copyFor(request, call);
      const row = await copy.get(TRANSFERS.name, transferId(fromAccountId, requestId));
      if (row === undefined) {
        const metadata = { from_account_id: fromAccountId, request_id: requestId };
        throw refusal('TRANSFER_NOT_FOUND', `account "${fromAccountId}" has no transfer "${requestId}"`, metadata);
      }
      return { transfer: transferMessage(transferRowOf(row)), positionToken: mergedToken(request) };
    }),

    listTransfers: unary<accountpb.ListTransfersRequest, accountpb.ListTransfersResponse>(async (request, call) => {
      const filters = filtersOf(request);
      const limit = checkedPageSize(request.pageSize);
      const [first, ...others] = filters;
      if (first === undefined) throw invalidRequest('from_account_id', 'to_account_id and state are all empty: one of them is needed');
      const scope = ['transfers', Object.fromEntries(filters.map(({ field, value }) => [field, value]))];
      const query = { collection: TRANSFERS.name, index: first.index, equals: { [first.field]: first.value }, direction: 'descending' as const };
      const after = placeOfPage(TRANSFERS, query, scope, request.pageToken);
      const copy = await freshness.copyFor(request, call);
      const { rows, next } = await findMatching(copy, TRANSFERS, { ...query, after, limit }, others);
      return {
        transfers: rows.map((row) => transferMessage(transferRowOf(row))),
        nextPageToken: tokenOfPlace(scope, next),
        positionToken: mergedToken(request),
      };
    }),
  };
}

function transferMessage(row: TransferRow): accountpb.Transfer {
  return {
    requestId: row.requestId,
    fromAccountId: row.fromAccountId,
    toAccountId: row.toAccountId,
    amountMinor: row.amountMinor,
    unit: row.unit,
    state: accountpb.TransferState[`TRANSFER_STATE_${row.state}`],
    rejection: row.rejection,
    createdAt: timestampFromUs(row.createdAtUs),
    settledAt: row.settledAtUs === 0 ? undefined : timestampFromUs(row.settledAtUs),
    partition: row.partition,
    sequence: BigInt(row.sequence),
  };
}

interface TransferFilter {
  readonly index: string;
  readonly field: string;
  readonly value: string;
}

/** What is asked for, the filter first that leaves the fewest transfers as a rule. */
function filtersOf({ fromAccountId, toAccountId, state }: accountpb.ListTransfersRequest): TransferFilter[] {
  checkFilter('from_account_id', fromAccountId);
  checkFilter('to_account_id', toAccountId);
  return [
    { index: 'by_from', field: 'from_account_id', value: fromAccountId },
    { index: 'by_to', field: 'to_account_id', value: toAccountId },
    { index: 'by_state', field: 'state', value: stateName(state) },
  ].filter(({ value }) => value !== '');
}

/** Empty: any. */
function stateName(state: accountpb.TransferState): string {
  if (state === accountpb.TransferState.TRANSFER_STATE_UNSPECIFIED) return '';
  const name = accountpb.TransferState[state];
  if (name === undefined || state < 0) throw invalidRequest('state', `${state} is not a state`);
  return name.slice('TRANSFER_STATE_'.length);
}
