/**
 * Gifts: a transfer from the giver's account to the contest, which scores by it or refuses it.
 *
 *   Gift ──▶ the giver's account: DEBIT, in transit ──▶ the contest: a score ──▶ SETTLED
 *                                                        └──refused───────────▶ REFUNDED
 *
 * The giver's account decides repeats, and the engine's deliveries take the gift to the contest once.
 */
import type { MethodDefinition } from '@grpc/grpc-js';
import { MAXIMUM_POINTS } from '@sluice/domain/contest';
import { MAXIMUM_BATCH_ITEMS, MAXIMUM_ID_BYTES } from '@sluice/protocol';
import { contestpb } from '@sluice/protocol/contest';
import { checkText, invalidRequest, isReason, refusal, SluiceError, type CallContext } from '@sluice/service';
import type { CommandContext, TransferElsewhere, TransferredElsewhere } from '../command-capability';
import { bytesMethod, type ServiceMethod } from '../methods/command-method';
import { readMessage } from '../methods/partition-share';
import { itemErrorOfRefusal } from '../methods/verdict-errors';
import { CONTEST } from './contest-aggregate';

const MAXIMUM_UNIT_BYTES = 16;
const REFUSED = { balanceAfterMinor: 0n, entryNumber: 0n, repeated: false };

export function giftMethod(context: CommandContext, definition: MethodDefinition<contestpb.GiftRequest, contestpb.GiftResponse>): ServiceMethod {
  return bytesMethod(definition, async (bytes, call) => {
    const { results, positionToken } = await context.transferMoney([transferOf(readMessage(definition.requestDeserialize, bytes))], call);
    const { error, ...given } = results[0] as TransferredElsewhere;
    if (error !== undefined) throw isReason(error.reason) ? refusal(error.reason, error.message) : new Error(error.message);
    const { balanceAfterMinor, entryNumber, repeated } = given;
    return definition.responseSerialize({ balanceAfterMinor, entryNumber, repeated, positionToken });
  });
}

export function giftBatchMethod(context: CommandContext, definition: MethodDefinition<contestpb.GiftBatchRequest, contestpb.GiftBatchResponse>): ServiceMethod {
  return bytesMethod(definition, async (bytes, call) =>
    definition.responseSerialize(await giveAll(context, readMessage(definition.requestDeserialize, bytes), call)),
  );
}

async function giveAll(context: CommandContext, { gifts }: contestpb.GiftBatchRequest, call: CallContext): Promise<contestpb.GiftBatchResponse> {
  if (gifts.length === 0) throw invalidRequest('gifts', 'is empty');
  if (gifts.length > MAXIMUM_BATCH_ITEMS) throw refusal('BATCH_TOO_LARGE', `gifts has more than ${MAXIMUM_BATCH_ITEMS} items; send smaller batches`);
  const results = gifts.map((): contestpb.GiftResult => ({ ...REFUSED, error: undefined }));
  const orders: TransferElsewhere[] = [];
  const places: number[] = [];
  for (const [at, gift] of gifts.entries()) {
    try {
      orders.push(transferOf(gift));
      places.push(at);
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      results[at] = { ...REFUSED, error: itemErrorOfRefusal({ reason: error.reason, message: `gifts[${at}].${error.message}` }) };
    }
  }
  if (orders.length === 0) return { results, positionToken: '' };
  const transferred = await context.transferMoney(orders, call);
  for (const [order, at] of places.entries()) {
    const { balanceAfterMinor, entryNumber, repeated, error } = transferred.results[order] as TransferredElsewhere;
    results[at] = { balanceAfterMinor, entryNumber, repeated, error };
  }
  return { results, positionToken: transferred.positionToken };
}

/** Throws INVALID_REQUEST. */
function transferOf(gift: contestpb.GiftRequest): TransferElsewhere {
  const { requestId, contestId, accountId, giverAccountId, amountMinor, unit, scoredAtUs, signature, signedAtUs } = gift;
  checkText(requestId, 'request_id', 1, MAXIMUM_ID_BYTES);
  checkText(contestId, 'contest_id', 1, MAXIMUM_ID_BYTES);
  checkText(accountId, 'account_id', 1, MAXIMUM_ID_BYTES);
  checkText(giverAccountId, 'giver_account_id', 1, MAXIMUM_ID_BYTES);
  checkText(unit, 'unit', 1, MAXIMUM_UNIT_BYTES);
  if (amountMinor < 1n) throw refusal('AMOUNT_NOT_POSITIVE', `amount_minor is ${amountMinor}`);
  const points = gift.points === 0n ? amountMinor : gift.points;
  if (points < 1n || points > MAXIMUM_POINTS) throw invalidRequest('points', `is ${points}; it must be 1 to ${MAXIMUM_POINTS}`);
  if (scoredAtUs < 0n || scoredAtUs > Number.MAX_SAFE_INTEGER)
    throw invalidRequest('scored_at_us', `is ${scoredAtUs}; it must be 0 to ${Number.MAX_SAFE_INTEGER}`);
  return {
    ...{ requestId, fromAccountId: giverAccountId, amountMinor, unit, signature, signedAtUs },
    metadata: { contest: contestId, member: accountId },
    capability: CONTEST.capability,
    key: contestId,
    order: contestpb.GiftOrder.encode({ accountId, points, scoredAtUs }).finish(),
  };
}
