/** Batches of scores and of gifts for one contest. */
import { contestpb } from '@sluice/protocol/contest';
import type { Calls } from './load-order';
import { ACCOUNT_PLACEHOLDER, NumberedFrame } from './numbered-frame';
import { REQUEST_ID_PLACEHOLDER } from './request-ids';

const MOST_POINTS = 100;

export function scoreBatchFrame({ batchSize, contestId, members }: Extract<Calls, { kind: 'scoreBatches' }>): NumberedFrame {
  const scores = Array.from({ length: batchSize }, (_, at) => ({
    requestId: REQUEST_ID_PLACEHOLDER,
    contestId,
    accountId: ACCOUNT_PLACEHOLDER,
    points: pointsOf(at),
  }));
  return new NumberedFrame(contestpb.ScoreBatchRequest.encode(contestpb.ScoreBatchRequest.fromPartial({ scores })).finish(), [members]);
}

export function giftBatchFrame({ batchSize, contestId, members, givers }: Extract<Calls, { kind: 'giftBatches' }>): NumberedFrame {
  const gifts = Array.from({ length: batchSize }, (_, at) => ({
    requestId: REQUEST_ID_PLACEHOLDER,
    contestId,
    accountId: ACCOUNT_PLACEHOLDER,
    giverAccountId: ACCOUNT_PLACEHOLDER,
    amountMinor: pointsOf(at),
    unit: 'EUR',
  }));
  return new NumberedFrame(contestpb.GiftBatchRequest.encode(contestpb.GiftBatchRequest.fromPartial({ gifts })).finish(), [members, givers]);
}

function pointsOf(at: number): bigint {
  return BigInt(1 + (at % MOST_POINTS));
}
