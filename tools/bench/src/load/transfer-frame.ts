/** A TransferBatchRequest that is encoded once and sent many times with other ids; see request-frame.ts. */
import { accountpb } from '@sluice/protocol/account';
import { ACCOUNT_DIGITS, numberedAccountId, type TransferChoice } from './load-order';
import { locate, writeNumber } from './request-frame';
import { REQUEST_ID_PLACEHOLDER, type RequestIds } from './request-ids';

export class TransferFrame {
  readonly bytes: Buffer;
  private readonly requestIdOffsets: readonly number[];
  private readonly fromOffsets: readonly number[];
  private readonly toOffsets: readonly number[];

  constructor(
    private readonly between: TransferChoice,
    batchSize: number,
    slot: number,
  ) {
    const [fromAccountId, toAccountId] = accountsOf(between, slot);
    const transfers = Array.from({ length: batchSize }, () =>
      accountpb.TransferOrder.fromPartial({ requestId: REQUEST_ID_PLACEHOLDER, fromAccountId, toAccountId, amountMinor: 1n, unit: 'EUR' }),
    );
    this.bytes = Buffer.from(accountpb.TransferBatchRequest.encode({ transfers }).finish());
    const { requestIdOffsets, accountNumberOffsets, itemEnds } = locate(this.bytes);
    this.requestIdOffsets = requestIdOffsets;
    this.fromOffsets = accountNumberOffsets;
    // The target is the last field of an order.
    this.toOffsets = itemEnds.map((end) => end - ACCOUNT_DIGITS);
  }

  /** The next request, over the one before. */
  next(ids: RequestIds): Buffer {
    const { bytes, between, requestIdOffsets, fromOffsets, toOffsets } = this;
    for (let index = 0; index < requestIdOffsets.length; index += 1) {
      ids.writeNext(bytes, requestIdOffsets[index] as number);
      if (between.kind === 'pair') continue;
      const from = Math.floor(Math.random() * between.count);
      const to = (from + 1 + Math.floor(Math.random() * (between.count - 1))) % between.count;
      writeNumber(bytes, fromOffsets[index] as number, from);
      writeNumber(bytes, toOffsets[index] as number, to);
    }
    return bytes;
  }
}

function accountsOf(between: TransferChoice, slot: number): readonly [string, string] {
  if (between.kind === 'random') return [numberedAccountId(0), numberedAccountId(1)];
  const [first, second] = between.accountIds;
  return slot % 2 === 0 ? [first, second] : [second, first];
}
