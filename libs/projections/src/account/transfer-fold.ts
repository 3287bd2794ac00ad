/**
 * Transfers of one partition's accounts: from events to one row each. A transfer that is recorded and settled within one flush costs one write.
 * Pending ones stay in memory for a while; the row of one that is settled later is read.
 */
import { TRANSFER_TRANSITIONS } from '@sluice/domain/account';
import type { RowWrite } from '@sluice/ports';
import type { DecodedCommit, EventRecord } from '@sluice/protocol';
import type { LoadedRows, SetAside } from '../projection';
import { RecentCache } from '../recent-cache';
import { TRANSFERS } from './collections';
import { readTransferEvent, type TransferPart } from './transfer-event';
import { transferId, transferRow, transferRowOf, type TransferRow } from './transfer-row';

export const TRANSFER_AGGREGATE = 'transfer';

export class TransferFold {
  private touched = new Map<string, TransferPart[]>();
  private readonly pending: RecentCache<TransferRow>;

  /** @param cachedTransfers pending transfers that are kept in memory. */
  constructor(
    private readonly partition: number,
    cachedTransfers: number,
  ) {
    this.pending = new RecentCache(cachedTransfers);
  }

  take(commit: DecodedCommit, event: EventRecord): void {
    readTransferEvent(commit, event, (part) => {
      const id = transferId(part.fromAccountId, part.requestId);
      const parts = this.touched.get(id);
      if (parts === undefined) this.touched.set(id, [part]);
      else parts.push(part);
    });
  }

  /** Keys of the rows to be read. */
  missing(): string[] {
    const keys: string[] = [];
    for (const [id, [first]] of this.touched) if (first?.kind === 'settled' && this.pending.get(id) === undefined) keys.push(id);
    return keys;
  }

  /** Writes of everything that was taken since the last time; a transfer that does not continue its row is set aside. */
  project(loaded: LoadedRows, setAside: SetAside[]): RowWrite[] {
    const writes: RowWrite[] = [];
    for (const [id, parts] of this.touched) {
      let row = this.pending.get(id) ?? this.loadedRow(loaded, id);
      try {
        for (const part of parts) row = evolve(row, part, this.partition);
      } catch (error) {
        const { sequence } = parts.at(-1) as TransferPart;
        const message = error instanceof Error ? error.message : String(error);
        setAside.push({ aggregate: TRANSFER_AGGREGATE, key: id, partition: this.partition, sequence, error: message });
        continue;
      }
      if (row === undefined) continue;
      writes.push({ kind: 'put', collection: TRANSFERS.name, row: transferRow(row) });
      if (row.state === 'PENDING') this.pending.set(id, row);
      else this.pending.delete(id);
    }
    this.touched = new Map();
    return writes;
  }

  private loadedRow(loaded: LoadedRows, id: string): TransferRow | undefined {
    const row = loaded.get(TRANSFERS.name)?.get(id);
    return row && transferRowOf(row);
  }
}

/** The row after the part; a row that has the part already is left as it is. Throws for a verdict that the state does not take. */
function evolve(row: TransferRow | undefined, part: TransferPart, partition: number): TransferRow {
  const { fromAccountId, requestId, sequence, committedAtUs } = part;
  if (row !== undefined && row.sequence >= sequence) return row;
  if (part.kind === 'recorded') {
    if (row !== undefined) throw new Error(`transfer ${requestId} of account ${fromAccountId} is recorded twice`);
    const { toAccountId, unit, amountMinor, pending } = part;
    return {
      transferId: transferId(fromAccountId, requestId),
      requestId,
      fromAccountId,
      toAccountId,
      unit,
      amountMinor,
      state: pending ? 'PENDING' : 'SETTLED',
      rejection: 0,
      createdAtUs: committedAtUs,
      settledAtUs: pending ? 0 : committedAtUs,
      partition,
      sequence,
    };
  }
  const next = row && (part.rejection === 0 ? TRANSFER_TRANSITIONS[row.state].credited : TRANSFER_TRANSITIONS[row.state].refused);
  if (row === undefined || next === undefined) {
    throw new Error(`transfer ${requestId} of account ${fromAccountId} has a verdict, and stands at ${row?.state ?? 'nothing'}`);
  }
  row.state = next;
  row.rejection = part.rejection;
  row.settledAtUs = committedAtUs;
  row.sequence = sequence;
  return row;
}
