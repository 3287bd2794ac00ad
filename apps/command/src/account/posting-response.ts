/**
 * Verdicts to bytes: PostBatchResponse, PostResponse and PostStreamResponse, written by hand from the columns of a batch. TransferBatchResponse and
 * TransferResponse are the same with the state of each transfer. The generated codec is the oracle.
 */
import { ByteWriter } from '@sluice/protocol';
import { OUTCOME_ACCEPTED, accountpb, type PostingBatch } from '@sluice/protocol/account';
import { codeOfReason, REASONS, refusal, type Reason, type SluiceError } from '@sluice/service';
import { OUTCOME_REASONS } from './outcomes';

export function reasonOf(outcome: number): Reason {
  return OUTCOME_REASONS[outcome] ?? 'INTERNAL';
}

/** What a unary call is refused with. */
export function errorOf(outcome: number, message: string | undefined, metadata?: Readonly<Record<string, string>>): SluiceError {
  const reason = reasonOf(outcome);
  return refusal(reason, message ?? `${REASONS[reason].when} ${REASONS[reason].advice}`, metadata);
}

/** What a single posting is refused with: where the account's state refused it, with the balance at which it did. */
export function postingErrorOf(batch: PostingBatch, index: number): SluiceError {
  const outcome = batch.outcomes[index] as number;
  const message = batch.messages.get(index);
  if (outcome > OUTCOME_ACCEPTED) return errorOf(outcome, message);
  return errorOf(outcome, message, {
    balance_minor: String(batch.balancesAfter[index]),
    held_minor: String(batch.heldAfter[index]),
    repeated: String(batch.repeated[index] === 1),
  });
}

export function itemErrorOf(outcome: number, message: string | undefined): accountpb.ItemError {
  const reason = reasonOf(outcome);
  return { code: codeOfReason(reason), reason, message: message ?? `${REASONS[reason].when} ${REASONS[reason].advice}` };
}

const encodedErrors: (Uint8Array | undefined)[] = [];

function encodedError(outcome: number, message: string | undefined): Uint8Array {
  if (message !== undefined) return accountpb.ItemError.encode(itemErrorOf(outcome, message)).finish();
  let bytes = encodedErrors[outcome];
  if (bytes === undefined) {
    bytes = accountpb.ItemError.encode(itemErrorOf(outcome, undefined)).finish();
    encodedErrors[outcome] = bytes;
  }
  return bytes;
}

// A local copy: an import from a library costs a getter at every use, and this is the hot path.
const acceptedOutcome = OUTCOME_ACCEPTED;
const { TRANSFER_STATE_PENDING: PENDING, TRANSFER_STATE_SETTLED: SETTLED } = accountpb.TransferState;
const RESULT_TAG = 0x0a;
/** Longest result without its error: tag, length, three int64 fields, one bool, one state. */
const RESULT_BYTES = 42;
const writer = new ByteWriter(1 << 16);

export function acceptedCount(batch: PostingBatch): number {
  let accepted = 0;
  for (let index = 0; index < batch.count; index += 1) if (batch.outcomes[index] === acceptedOutcome) accepted += 1;
  return accepted;
}

export function encodeBatchResponse(batch: PostingBatch, accepted: number, positionToken: string): Buffer {
  writer.reset();
  writer.reserve(batch.count * RESULT_BYTES);
  for (let index = 0; index < batch.count; index += 1) writeResult(batch, index, RESULT_TAG);
  writer.stringField(0x12, positionToken);
  writer.numberField(0x18, accepted);
  return writer.copy();
}

export function encodePostResponse(batch: PostingBatch, index: number, positionToken: string): Buffer {
  writer.reset();
  writeResult(batch, index, RESULT_TAG);
  writer.stringField(0x12, positionToken);
  return writer.copy();
}

export function encodeStreamResponse(batch: PostingBatch, index: number, positionToken: string): Buffer {
  writer.reset();
  writer.stringField(0x0a, batch.requestId(index));
  writer.stringField(0x12, batch.accountId(index));
  writeResult(batch, index, 0x1a);
  writer.stringField(0x22, positionToken);
  return writer.copy();
}

function writeResult(batch: PostingBatch, index: number, tag: number): void {
  const outcome = batch.outcomes[index] as number;
  const accepted = outcome === acceptedOutcome;
  writer.reserve(RESULT_BYTES);
  writer.byte(tag);
  const lengthAt = writer.at;
  writer.at += 1;
  // Engine refusals say nothing about the account.
  if (outcome <= acceptedOutcome) {
    const { balancesAfterHalves, heldAfterHalves } = batch;
    writeInt64(0x08, balancesAfterHalves[index * 2] as number, balancesAfterHalves[index * 2 + 1] as number);
    writeInt64(0x10, heldAfterHalves[index * 2] as number, heldAfterHalves[index * 2 + 1] as number);
    if (accepted) writer.numberField(0x18, batch.entryNumbers[index] as number);
  }
  if (batch.repeated[index] === 1) {
    writer.byte(0x20);
    writer.byte(1);
  }
  if (accepted) {
    if (batch.legs !== undefined) {
      writer.byte(0x30);
      writer.byte(batch.legs.otherPartitions[index] === batch.partitions[index] ? SETTLED : PENDING);
    }
    writer.bytes[lengthAt] = writer.at - lengthAt - 1;
    return;
  }
  // A refusal is longer than one byte of length can say: rewritten with a length of two bytes.
  const head = Buffer.from(writer.bytes.subarray(lengthAt + 1, writer.at));
  const error = encodedError(outcome, batch.messages.get(index));
  writer.at = lengthAt;
  writer.reserve(head.length + error.length + 16);
  writer.varint(head.length + 1 + lengthOfVarint(error.length) + error.length);
  writer.raw(head, 0, head.length);
  writer.bytesField(0x2a, error);
}

function writeInt64(tag: number, low: number, high: number): void {
  if (low === 0 && high === 0) return;
  writer.byte(tag);
  writer.varint64(low, high);
}

function lengthOfVarint(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : 3;
}
