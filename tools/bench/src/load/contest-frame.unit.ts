import { contestpb } from '@sluice/protocol/contest';
import { giftBatchFrame, scoreBatchFrame } from './contest-frame';
import { findGiftFault, findScoreFault, readItemVerdict } from './item-verdict';
import { numberedAccountId } from './load-order';
import { RequestIds } from './request-ids';

const BATCH = 200;
const CONTEST = { batchSize: BATCH, contestId: 'hot', members: 20 } as const;
const members = new Set(Array.from({ length: CONTEST.members }, (_, at) => numberedAccountId(at)));
const givers = new Set(Array.from({ length: 5 }, (_, at) => numberedAccountId(at)));

test('scores are for members of the contest, each with a request id of its own', () => {
  const frame = scoreBatchFrame({ kind: 'scoreBatches', ...CONTEST });
  const ids = new RequestIds(1);
  const scores = [1, 2].flatMap(() => contestpb.ScoreBatchRequest.decode(frame.next(ids)).scores);
  expect(new Set(scores.map(({ requestId }) => requestId)).size).toBe(2 * BATCH);
  expect(scores.every(({ contestId, accountId, points }) => contestId === 'hot' && members.has(accountId) && points > 0n)).toBe(true);
  expect(new Set(scores.map(({ accountId }) => accountId)).size).toBeGreaterThan(CONTEST.members / 2);
});

test('gifts are from givers for members', () => {
  const frame = giftBatchFrame({ kind: 'giftBatches', ...CONTEST, givers: givers.size });
  const { gifts } = contestpb.GiftBatchRequest.decode(frame.next(new RequestIds(1)));
  expect(gifts).toHaveLength(BATCH);
  expect(gifts.every(({ accountId, giverAccountId, unit }) => members.has(accountId) && givers.has(giverAccountId) && unit === 'EUR')).toBe(true);
  expect(new Set(gifts.map(({ accountId }) => accountId)).size).toBeGreaterThan(givers.size);
});

const error = { code: 5, reason: 'CONTEST_MEMBER_NOT_FOUND', message: 'not a member' };
const scored = { round: 1, roundPoints: 1n << 50n, totalPoints: 7n, sideRoundPoints: 9n };
const given = { balanceAfterMinor: -5n, entryNumber: 3n };
const scoreAnswer = (results: readonly Partial<contestpb.ScoreResult>[], positionToken = 'token'): Uint8Array =>
  contestpb.ScoreBatchResponse.encode(contestpb.ScoreBatchResponse.fromPartial({ results: [...results], positionToken })).finish();
const giftAnswer = (results: readonly Partial<contestpb.GiftResult>[]): Uint8Array =>
  contestpb.GiftBatchResponse.encode(contestpb.GiftBatchResponse.fromPartial({ results: [...results], positionToken: 'token' })).finish();

test.each`
  what        | bytes                                                     | results | accepted | fault
  ${'scores'} | ${scoreAnswer([scored, scored])}                          | ${2}    | ${2}     | ${undefined}
  ${'scores'} | ${scoreAnswer([scored, { error }])}                       | ${2}    | ${1}     | ${'item 1: CONTEST_MEMBER_NOT_FOUND: not a member'}
  ${'scores'} | ${scoreAnswer([{ ...scored, repeated: true }, scored])}   | ${2}    | ${2}     | ${'item 0 was answered as a repeat, and its request id is new'}
  ${'scores'} | ${scoreAnswer([scored])}                                  | ${1}    | ${1}     | ${'1 results for 2 items'}
  ${'scores'} | ${scoreAnswer([scored, scored], '')}                      | ${2}    | ${2}     | ${'no position token'}
  ${'gifts'}  | ${giftAnswer([given, { balanceAfterMinor: -5n, error }])} | ${2}    | ${1}     | ${'item 1: CONTEST_MEMBER_NOT_FOUND: not a member'}
  ${'gifts'}  | ${giftAnswer([given, given])}                             | ${2}    | ${2}     | ${undefined}
`('an answer to two $what with the fault $fault', ({ what, bytes, results, accepted, fault }) => {
  expect(readItemVerdict(bytes)).toEqual({ results, accepted });
  expect(what === 'scores' ? findScoreFault(bytes, 2) : findGiftFault(bytes, 2)).toBe(fault);
});
