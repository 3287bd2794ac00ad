/** Reads of transfers: one by its id, and listings by debited account, target and state. */
import type { TransferState } from '@sluice/domain/account';
import { groupOf, readTransfer, recordOf, type TransferFilter, type TransferPlace, type TransferRecord, transferRowsOf } from '@sluice/projections/account';
import { decodePosition, encodePosition, type ReadCopy } from '@sluice/ports';
import { timestampFromUs } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { invalidRequest, refusal, unary } from '@sluice/service';
import { type Freshness, mergedToken } from '../freshness';
import { decodePageToken, encodePageToken } from '../page-token';
import { checkedPageSize, checkKey } from '../request-shape';
import { checkFilter } from './account-request-shape';

/** Transfers that one page looks at, at most. */
const MAXIMUM_EXAMINED_TRANSFERS = 10_000;

export function transferQueries(freshness: Freshness): Pick<accountpb.AccountQueryServiceServer, 'getTransfer' | 'listTransfers'> {
  return {
    getTransfer: unary<accountpb.GetTransferRequest, accountpb.GetTransferResponse>(async (request, call) => {
      const { fromAccountId, requestId } = request;
      checkKey('from_account_id', fromAccountId);
      checkKey('request_id', requestId);
      const transfer = await readTransfer(await freshness.copyFor(request, call), fromAccountId, requestId);
      if (transfer === undefined) {
        const metadata = { from_account_id: fromAccountId, request_id: requestId };
        throw refusal('TRANSFER_NOT_FOUND', `account "${fromAccountId}" has no transfer "${requestId}"`, metadata);
      }
      return { transfer: transferMessage(transfer), positionToken: mergedToken(request) };
    }),

    listTransfers: unary<accountpb.ListTransfersRequest, accountpb.ListTransfersResponse>(async (request, call) => {
      const filter = filterOf(request);
      const limit = checkedPageSize(request.pageSize);
      const scope = ['transfers', filter];
      const from = placeOf(decodePageToken(scope, request.pageToken));
      const { transfers, next } = await readPage(await freshness.copyFor(request, call), filter, limit, from);
      return {
        transfers: transfers.map(transferMessage),
        nextPageToken: next === undefined ? '' : encodePageToken(scope, encodePosition([next.createdAtUs, next.groupId, next.seen])),
        positionToken: mergedToken(request),
      };
    }),
  };
}

/** Transfers of the row of the place that earlier pages have looked at. */
type PagePlace = TransferPlace & { readonly seen: number };

interface TransferPage {
  readonly transfers: readonly TransferRecord[];
  /** Where the next page goes on; undefined: there are no more. */
  readonly next: PagePlace | undefined;
}

async function readPage(copy: ReadCopy, filter: TransferFilter, limit: number, from: PagePlace | undefined): Promise<TransferPage> {
  const found: TransferRecord[] = [];
  let examined = 0;
  for await (const row of transferRowsOf(copy, filter, from)) {
    const group = groupOf(row);
    const place = { createdAtUs: group.createdAtUs, groupId: row.transfer_id as string };
    // The newest of a row comes first.
    for (let seen = place.groupId === from?.groupId ? from.seen : 0; seen < group.transfers.length; seen += 1) {
      const transfer = group.transfers[group.transfers.length - 1 - seen];
      if (transfer === undefined || (filter.state !== undefined && transfer.state !== filter.state)) continue;
      // One more than asked for says that there is another page.
      if (found.length === limit) return { transfers: found, next: { ...place, seen } };
      found.push(recordOf(group, transfer));
    }
    examined += group.transfers.length;
    if (examined >= MAXIMUM_EXAMINED_TRANSFERS) return { transfers: found, next: { ...place, seen: group.transfers.length } };
  }
  return { transfers: found, next: undefined };
}

/** Refuses a cursor that is no place of a listing of transfers. */
function placeOf(cursor: string | undefined): PagePlace | undefined {
  if (cursor === undefined) return undefined;
  const [createdAtUs, groupId, seen] = decodePosition(cursor) ?? [];
  // Anybody can make a token: from a large negative number on, the reader would count for years.
  const isCount = Number.isSafeInteger(seen) && (seen as number) >= 0;
  if (!Number.isSafeInteger(createdAtUs) || typeof groupId !== 'string' || !isCount) throw refusal('PAGE_TOKEN_INVALID');
  return { createdAtUs: createdAtUs as number, groupId, seen: seen as number };
}

function transferMessage(transfer: TransferRecord): accountpb.Transfer {
  return {
    requestId: transfer.requestId,
    fromAccountId: transfer.fromAccountId,
    toAccountId: transfer.toAccountId,
    amountMinor: transfer.amountMinor,
    unit: transfer.unit,
    state: accountpb.TransferState[`TRANSFER_STATE_${transfer.state}`],
    rejection: transfer.rejection,
    targetReason: transfer.targetReason,
    createdAt: timestampFromUs(transfer.createdAtUs),
    settledAt: transfer.settledAtUs === 0 ? undefined : timestampFromUs(transfer.settledAtUs),
    partition: transfer.partition,
    sequence: BigInt(transfer.sequence),
  };
}

function filterOf({ fromAccountId, toAccountId, state }: accountpb.ListTransfersRequest): TransferFilter {
  checkFilter('from_account_id', fromAccountId);
  checkFilter('to_account_id', toAccountId);
  const name = stateOf(state);
  if (fromAccountId === '' && toAccountId === '' && name === undefined) {
    throw invalidRequest('from_account_id', 'is empty, and so are to_account_id and state: one of them is needed');
  }
  return { ...(fromAccountId !== '' && { fromAccountId }), ...(toAccountId !== '' && { toAccountId }), ...(name !== undefined && { state: name }) };
}

/** Undefined: any. */
function stateOf(state: accountpb.TransferState): TransferState | undefined {
  switch (state) {
    case accountpb.TransferState.TRANSFER_STATE_UNSPECIFIED:
      return undefined;
    case accountpb.TransferState.TRANSFER_STATE_PENDING:
      return 'PENDING';
    case accountpb.TransferState.TRANSFER_STATE_SETTLED:
      return 'SETTLED';
    case accountpb.TransferState.TRANSFER_STATE_REFUNDED:
      return 'REFUNDED';
    default:
      throw invalidRequest('state', `${state} is not a state`);
  }
}
