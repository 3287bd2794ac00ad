/** Transfers to the messages that travel, and back. */
import { randomUUID } from 'node:crypto';
import { usFromTimestamp } from '@sluice/protocol';
import { accountpb, signPosting } from '@sluice/protocol/account';
import { outcomeOf } from './posting-outcome';
import { rejectionFromWire } from './rejection';
import { TRANSFER_STATES, type Transfer, type TransferInput, type TransferOutcome, type TransferState } from './transfer';

const STATE_TO_WIRE: Readonly<Record<TransferState, accountpb.TransferState>> = {
  PENDING: accountpb.TransferState.TRANSFER_STATE_PENDING,
  SETTLED: accountpb.TransferState.TRANSFER_STATE_SETTLED,
  REFUNDED: accountpb.TransferState.TRANSFER_STATE_REFUNDED,
};
const STATE_FROM_WIRE: ReadonlyMap<accountpb.TransferState, TransferState> = new Map(TRANSFER_STATES.map((state) => [STATE_TO_WIRE[state], state]));

export function transferStateToWire(state: TransferState | undefined): accountpb.TransferState {
  return state === undefined ? accountpb.TransferState.TRANSFER_STATE_UNSPECIFIED : STATE_TO_WIRE[state];
}

function stateFromWire(state: accountpb.TransferState): TransferState {
  return STATE_FROM_WIRE.get(state) ?? 'PENDING';
}

/** The message that travels: the request id is made, and the signature set, where they are wanted. */
export function transferToWire(input: TransferInput): accountpb.TransferOrder {
  const order = accountpb.TransferOrder.fromPartial({
    requestId: input.requestId ?? randomUUID(),
    fromAccountId: input.fromAccountId,
    toAccountId: input.toAccountId,
    amountMinor: input.amountMinor,
    unit: input.unit,
    channel: input.channel ?? '',
    initiatedDate: input.initiatedDate ?? '',
    metadata: input.metadata === undefined ? {} : { ...input.metadata },
  });
  if (input.signingKey !== undefined) {
    const { requestId, fromAccountId: accountId, toAccountId: counterparty, unit, amountMinor } = order;
    order.signedAtUs = BigInt(Date.now()) * 1_000n;
    order.signature = signPosting(input.signingKey, {
      requestId,
      accountId,
      typeName: 'TRANSFER',
      counterparty,
      holdId: '',
      unit,
      amountMinor,
      signedAtUs: order.signedAtUs,
    });
  }
  return order;
}

export function transferOutcomeOf(order: accountpb.TransferOrder, result: accountpb.TransferResult | undefined, positionToken: string): TransferOutcome {
  const { requestId, fromAccountId, toAccountId } = order;
  const outcome = outcomeOf({ requestId, accountId: fromAccountId }, result, positionToken);
  if (outcome.error !== undefined) return { requestId, fromAccountId, error: outcome.error };
  const { accountId: _accountId, ...rest } = outcome.result;
  const state = stateFromWire(result?.state ?? accountpb.TransferState.TRANSFER_STATE_UNSPECIFIED);
  return { requestId, fromAccountId, result: { ...rest, fromAccountId, toAccountId, state } };
}

export function transferFromWire(transfer: accountpb.Transfer): Transfer {
  const { requestId, fromAccountId, toAccountId, amountMinor, unit, targetReason, partition, sequence } = transfer;
  return {
    requestId,
    fromAccountId,
    toAccountId,
    amountMinor,
    unit,
    state: stateFromWire(transfer.state),
    rejection: rejectionFromWire(transfer.rejection),
    targetReason,
    createdAtUs: transfer.createdAt === undefined ? 0 : Number(usFromTimestamp(transfer.createdAt)),
    settledAtUs: transfer.settledAt && Number(usFromTimestamp(transfer.settledAt)),
    partition,
    sequence,
  };
}
