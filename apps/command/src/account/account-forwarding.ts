/**
 * Postings and openings for partitions that another instance owns. The owner's verdicts come back into the columns of the batch and into the
 * items. Where no owner answers, the items are PARTITION_UNAVAILABLE: the caller sends them again, with the same request ids.
 */
import type { PartitionHop } from '@sluice/engine';
import { decodePositionToken } from '@sluice/protocol';
import { accountpb, encodeOrders, END, OUTCOME_ACCEPTED, START, STRIDE, type PostingBatch } from '@sluice/protocol/account';
import { SluiceError, type CallContext } from '@sluice/service';
import { commandAtOwner } from '../peers/owner-call';
import type { AccountCommandItem } from './command-submission';
import { INVALID_REQUEST, outcomeOfReason, PARTITION_UNAVAILABLE } from './outcomes';
import { failShare, type PostingForwarding, type Positions } from './posting-router';

const { postBatch, openAccounts, transferBatch } = accountpb.AccountCommandServiceService;
const POST_BATCH = { path: postBatch.path, repeatable: true };
const TRANSFER_BATCH = { path: transferBatch.path, repeatable: true };

export class AccountForwarding implements PostingForwarding {
  constructor(readonly hop: PartitionHop<CallContext>) {}

  async postings(partition: number, batch: PostingBatch, indexes: readonly number[], positions: Positions, call: CallContext): Promise<void> {
    try {
      const isTransfers = batch.legs !== undefined;
      const share = isTransfers ? encodeOrders(batch, indexes) : encodeShare(batch, indexes);
      const answer = await this.hop.send(partition, isTransfers ? TRANSFER_BATCH : POST_BATCH, share, call);
      // A TransferBatchResponse is a PostBatchResponse with states, which this process knows: it routed the transfers.
      const response = postBatch.responseDeserialize(answer);
      response.results.forEach((result, item) => takeResult(batch, indexes[item] as number, result));
      takePositions(response.positionToken, positions);
    } catch (error) {
      const { outcome, message } = outcomeOfError(error);
      failShare(batch, indexes, outcome);
      if (outcome === INVALID_REQUEST) for (const index of indexes) batch.messages.set(index, message);
    }
  }

  /** Opens accounts at their owner. */
  async openings(
    partition: number,
    items: readonly AccountCommandItem[],
    accounts: readonly accountpb.AccountOpening[],
    positions: Positions,
    call: CallContext,
  ): Promise<void> {
    try {
      const response = await commandAtOwner(this.hop, partition, openAccounts, { accounts: [...accounts] }, call);
      response.results.forEach(({ result, error }, at) => {
        const item = items[at] as AccountCommandItem;
        if (result !== undefined) takeCommandResult(item, result);
        else refuse(item, error);
      });
      takePositions(response.positionToken, positions);
    } catch (error) {
      for (const item of items) item.outcome = outcomeOfError(error).outcome;
    }
  }
}

/** The postings as they came, as a PostBatchRequest of their own. */
function encodeShare(batch: PostingBatch, indexes: readonly number[]): Buffer {
  const parts = indexes.map((index) => batch.bytes.subarray(batch.fields[index * STRIDE + START] as number, batch.fields[index * STRIDE + END] as number));
  if (batch.atomic) parts.push(Uint8Array.of(0x10, 0x01));
  return Buffer.concat(parts);
}

function takeResult(batch: PostingBatch, index: number, result: accountpb.PostingResult): void {
  batch.outcomes[index] = result.error === undefined ? OUTCOME_ACCEPTED : outcomeOfReason(result.error.reason);
  if (result.error !== undefined) batch.messages.set(index, result.error.message);
  batch.repeated[index] = result.repeated ? 1 : 0;
  batch.balancesAfter[index] = result.balanceAfterMinor;
  batch.heldAfter[index] = result.heldAfterMinor;
  batch.entryNumbers[index] = Number(result.entryNumber);
}

function takeCommandResult(item: AccountCommandItem, result: accountpb.CommandResult): void {
  item.outcome = OUTCOME_ACCEPTED;
  item.repeated = result.repeated;
  item.answer = {
    balanceMinor: result.balanceMinor,
    heldMinor: result.heldMinor,
    status: result.status,
    version: Number(result.version),
    signingKeyId: result.signingKeyId,
  };
}

function refuse(item: AccountCommandItem, error: accountpb.ItemError | undefined): void {
  item.outcome = error === undefined ? PARTITION_UNAVAILABLE : outcomeOfReason(error.reason);
  if (error !== undefined) item.message = error.message;
}

function takePositions(token: string, positions: Positions): void {
  if (token === '') return;
  for (const [partition, sequence] of decodePositionToken(token).sequences) positions.set(partition, sequence);
}

/** What is no refusal (an answer that cannot be decoded) leaves the outcome unknown. */
function outcomeOfError(error: unknown): { outcome: number; message: string } {
  if (!(error instanceof SluiceError)) return { outcome: PARTITION_UNAVAILABLE, message: String(error) };
  return { outcome: outcomeOfReason(error.reason), message: error.message };
}
