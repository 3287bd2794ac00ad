/** Reads transfers from their rows: one by its id, and the rows of a listing, newest first. */
import type { TransferState } from '@sluice/domain/account';
import { compareText, type ReadCopy, type Row, type RowPosition, type RowQuery } from '@sluice/ports';
import { TRANSFER_KEYS, TRANSFERS } from './collections';
import { groupOf, recordOf, STATES_OF_GROUPS, transferId, type TransferRecord } from './transfer-group';

/** Rows of one step; a row holds up to 256 transfers. */
const STEP_ROWS = 64;

export async function readTransfer(copy: ReadCopy, fromAccountId: string, requestId: string): Promise<TransferRecord | undefined> {
  const id = transferId(fromAccountId, requestId);
  const row = (await copy.get(TRANSFERS.name, id)) ?? (await rowOfMember(copy, id));
  if (row === undefined) return undefined;
  const group = groupOf(row);
  const transfer = group.transfers.find((one) => one.requestId === requestId);
  return transfer && recordOf(group, transfer);
}

async function rowOfMember(copy: ReadCopy, id: string): Promise<Row | undefined> {
  const key = await copy.get(TRANSFER_KEYS.name, id);
  return key && copy.get(TRANSFERS.name, key.group_id as string);
}

export interface TransferFilter {
  readonly fromAccountId?: string;
  readonly toAccountId?: string;
  readonly state?: TransferState;
}

/** Where a listing goes on: in the row with this time and this key. */
export interface TransferPlace {
  readonly createdAtUs: number;
  readonly groupId: string;
}

/** The rows that may hold such transfers, newest first; from the row of the place on, itself included. One of the filters must be there. */
export async function* transferRowsOf(copy: ReadCopy, filter: TransferFilter, place?: TransferPlace): AsyncGenerator<Row> {
  // The key behind which that of the place comes first, backwards.
  const after = place && [place.createdAtUs, `${place.groupId}\u0000`];
  const scans = queriesOf(filter).map((query) => rowsFrom(copy, query, after));
  const heads: (Row | undefined)[] = [];
  for (const scan of scans) heads.push(await nextOf(scan));
  let last: unknown;
  for (;;) {
    const newest = heads.reduce<number>((best, row, at) => (row !== undefined && (best < 0 || isNewer(row, heads[best] as Row)) ? at : best), -1);
    const row = heads[newest];
    const scan = scans[newest];
    if (row === undefined || scan === undefined) return;
    heads[newest] = await nextOf(scan);
    // A row whose state changes meanwhile is met twice.
    if (row.transfer_id === last) continue;
    last = row.transfer_id;
    if (filter.toAccountId === undefined || row.to_account_id === filter.toAccountId) yield row;
  }
}

type Scan = Omit<RowQuery, 'after' | 'limit'>;

function queriesOf({ fromAccountId, toAccountId, state }: TransferFilter): Scan[] {
  const query = { collection: TRANSFERS.name, direction: 'descending' as const };
  if (fromAccountId !== undefined) return [{ ...query, index: 'by_from', equals: { from_account_id: fromAccountId } }];
  if (toAccountId !== undefined) return [{ ...query, index: 'by_to', equals: { to_account_id: toAccountId } }];
  if (state === undefined) throw new Error('a listing of transfers without a filter');
  return STATES_OF_GROUPS[state].map((ofGroup) => ({ ...query, index: 'by_state', equals: { state: ofGroup } }));
}

async function* rowsFrom(copy: ReadCopy, scan: Scan, from: RowPosition | undefined): AsyncGenerator<Row, void> {
  let after = from;
  do {
    const page = await copy.find({ ...scan, after, limit: STEP_ROWS });
    yield* page.rows;
    after = page.next;
    // Others have the thread between two steps.
    await new Promise((resolve) => setImmediate(resolve));
  } while (after !== undefined);
}

async function nextOf(scan: AsyncGenerator<Row, void>): Promise<Row | undefined> {
  return (await scan.next()).value ?? undefined;
}

function isNewer(row: Row, than: Row): boolean {
  const [time, otherTime] = [row.created_at_us as number, than.created_at_us as number];
  return time === otherTime ? compareText(row.transfer_id as string, than.transfer_id as string) > 0 : time > otherTime;
}
