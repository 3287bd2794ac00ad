/** A transfer as the projection keeps it in memory, and its row. */
import type { TransferState } from '@sluice/domain/account';
import type { Row } from '@sluice/ports';

export interface TransferRow {
  readonly transferId: string;
  readonly requestId: string;
  readonly fromAccountId: string;
  readonly toAccountId: string;
  readonly unit: string;
  readonly amountMinor: bigint;
  state: TransferState;
  /** Number of the rejection; 0: not refused. */
  rejection: number;
  readonly createdAtUs: number;
  /** 0: not yet. */
  settledAtUs: number;
  readonly partition: number;
  sequence: number;
}

/** Key of the row; the length of the account id keeps two ids apart. */
export function transferId(fromAccountId: string, requestId: string): string {
  return `${fromAccountId.length}:${fromAccountId}${requestId}`;
}

export function transferRow(transfer: TransferRow): Row {
  return {
    transfer_id: transfer.transferId,
    request_id: transfer.requestId,
    from_account_id: transfer.fromAccountId,
    to_account_id: transfer.toAccountId,
    unit: transfer.unit,
    amount_minor: transfer.amountMinor,
    state: transfer.state,
    rejection: transfer.rejection,
    created_at_us: transfer.createdAtUs,
    settled_at_us: transfer.settledAtUs,
    partition: transfer.partition,
    sequence: transfer.sequence,
  };
}

export function transferRowOf(row: Row): TransferRow {
  return {
    transferId: row.transfer_id as string,
    requestId: row.request_id as string,
    fromAccountId: row.from_account_id as string,
    toAccountId: row.to_account_id as string,
    unit: row.unit as string,
    amountMinor: row.amount_minor as bigint,
    state: row.state as TransferState,
    rejection: row.rejection as number,
    createdAtUs: row.created_at_us as number,
    settledAtUs: row.settled_at_us as number,
    partition: row.partition as number,
    sequence: row.sequence as number,
  };
}
