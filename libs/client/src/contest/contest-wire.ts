/** Contests to the messages that travel, and back. */
import { randomUUID } from 'node:crypto';
import { contestpb } from '@sluice/protocol/contest';
import { missingResult, refusedItem } from '../item-error';
import { SluiceError } from '../sluice-error';
import { microseconds } from '../time-wire';
import type { ContestInput, ContestRules, GiftInput, GiftOutcome, ScoreInput, ScoreOutcome } from './contest';

const US_PER_MS = 1_000;

export function contestToWire({ contestId, sides, rules = {}, title = '', requestId = randomUUID() }: ContestInput): contestpb.CreateContestRequest {
  return {
    requestId,
    contestId,
    rules: rulesToWire(rules),
    sides: sides.map(({ sideId, accountIds }) => ({ sideId, accountIds: [...accountIds] })),
    title,
  };
}

function rulesToWire(rules: ContestRules): contestpb.ContestRules {
  return {
    rounds: rules.rounds ?? 0,
    roundDurationMs: BigInt(rules.roundDurationMs ?? 0),
    joinUntilUs: BigInt(rules.joinUntil?.getTime() ?? 0) * BigInt(US_PER_MS),
    minimumMembersPerSide: rules.minimumMembersPerSide ?? 0,
    maximumMembersPerSide: rules.maximumMembersPerSide ?? 0,
    maximumPointsPerScore: BigInt(rules.maximumPointsPerScore ?? 0),
    maximumPointsPerMemberAndRound: BigInt(rules.maximumPointsPerMemberAndRound ?? 0),
    operator: contestpb.ScoreOperator[`SCORE_OPERATOR_${rules.operator ?? 'UNSPECIFIED'}`],
    winnerRule: contestpb.WinnerRule[`WINNER_RULE_${rules.winnerRule ?? 'UNSPECIFIED'}`],
    tieRule: contestpb.TieRule[`TIE_RULE_${rules.tieRule ?? 'UNSPECIFIED'}`],
    reconcileWaitMs: BigInt(rules.reconcileWaitMs ?? 0),
    reward: rules.reward && {
      fundAccountId: rules.reward.fundAccountId,
      unit: rules.reward.unit,
      kind: contestpb.RewardKind[`REWARD_KIND_${rules.reward.kind ?? 'UNSPECIFIED'}`],
      amountMinor: rules.reward.amountMinor,
    },
  };
}

export function scoreToWire({ requestId = randomUUID(), contestId, accountId, points, scoredAt }: ScoreInput): contestpb.ScoreRequest {
  return { requestId, contestId, accountId, points: wholeNumber('points', points), scoredAtUs: usOf(scoredAt) };
}

export function giftToWire(gift: GiftInput): contestpb.GiftRequest {
  const { requestId = randomUUID(), contestId, accountId, giverAccountId, amountMinor, unit, points = 0, scoredAt } = gift;
  const score = { requestId, contestId, accountId, points: wholeNumber('points', points), scoredAtUs: usOf(scoredAt) };
  return { ...score, giverAccountId, amountMinor, unit, signature: Buffer.alloc(0), signedAtUs: 0n };
}

/** 0: not said. */
function usOf(time: Date | number | undefined): bigint {
  return time === undefined ? 0n : wholeNumber('scoredAt', microseconds(time));
}

/** Throws a SluiceError for what no message can hold. */
function wholeNumber(field: string, number: number): bigint {
  if (Number.isInteger(number)) return BigInt(number);
  throw new SluiceError({ code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST', message: `${field} is ${number}; it must be a whole number` });
}

/** About as many bytes as it takes on the wire, never less than the texts in it. */
export function giftSizeBytes(gift: contestpb.GiftRequest): number {
  return scoreSizeBytes(gift) + Buffer.byteLength(gift.giverAccountId) + Buffer.byteLength(gift.unit);
}

/** About as many bytes as it takes on the wire, never less than the texts in it. */
export function scoreSizeBytes({ requestId, contestId, accountId }: Pick<contestpb.ScoreRequest, 'requestId' | 'contestId' | 'accountId'>): number {
  const FIXED_FIELDS_BYTES = 40;
  return FIXED_FIELDS_BYTES + Buffer.byteLength(requestId) + Buffer.byteLength(contestId) + Buffer.byteLength(accountId);
}

/** The verdict on one score of a batch or a stream, as a result or as the error that a unary call would have thrown. */
export function scoreOutcomeOf(score: contestpb.ScoreRequest, result: contestpb.ScoreResult | undefined, positionToken: string): ScoreOutcome {
  const { requestId, contestId, accountId } = score;
  if (result === undefined) return { requestId, contestId, error: missingResult('score', requestId) };
  const { round, roundPoints, totalPoints, sideRoundPoints, repeated, error } = result;
  if (error !== undefined) {
    return { requestId, contestId, error: refusedItem(error, { contest_id: contestId, account_id: accountId }, requestId) };
  }
  return {
    requestId,
    contestId,
    result: {
      requestId,
      contestId,
      accountId,
      round,
      roundPoints: Number(roundPoints),
      totalPoints: Number(totalPoints),
      sideRoundPoints: Number(sideRoundPoints),
      repeated,
      positionToken,
    },
  };
}

/** The verdict on one gift of a batch. */
export function giftOutcomeOf(gift: contestpb.GiftRequest, result: contestpb.GiftResult | undefined, positionToken: string): GiftOutcome {
  const { requestId, giverAccountId } = gift;
  if (result === undefined) return { requestId, giverAccountId, error: missingResult('gift', requestId) };
  const { balanceAfterMinor, entryNumber, repeated, error } = result;
  if (error !== undefined) return { requestId, giverAccountId, error: refusedItem(error, { account_id: giverAccountId }, requestId) };
  return { requestId, giverAccountId, result: { requestId, giverAccountId, balanceAfterMinor, entryNumber, repeated, positionToken } };
}

/** Undefined for 0. */
export function timeOfUs(microseconds: bigint): Date | undefined {
  return microseconds === 0n ? undefined : new Date(Number(microseconds) / US_PER_MS);
}
