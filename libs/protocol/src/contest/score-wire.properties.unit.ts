/** What scores are read and written by, against the generated codec. */
import * as fc from 'fast-check';
import { ScoreBatchRequest, ScoreBatchResponse, ScoreRequest, ScoreResponse, ScoreResult } from '../generated/sluice/contest/v1/command_service';
import { RecordedScore, ScoresRecorded } from '../generated/sluice/contest/v1/events';
import { canonicalBytes } from '../request-digest';
import { ByteWriter } from '../wire/byte-writer';
import {
  readScoreBatch,
  SCORE_ACCOUNT_ID_AT,
  SCORE_ACCOUNT_ID_END,
  SCORE_CONTEST_ID_AT,
  SCORE_CONTEST_ID_END,
  SCORE_STRIDE,
  type ScoreBatch,
} from './score-batch';
import { scoreResultsIn, ScoreResultsWriter, writeScoreReply } from './score-results-writer';
import { ScoresRecordedWriter } from './scores-recorded-writer';

const text = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 30 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 5 }) },
  { weight: 1, arbitrary: fc.constantFrom('\ufeffbom', 'x'.repeat(127), 'x'.repeat(128), 'x'.repeat(300)) },
);
const int64 = fc.oneof(fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), fc.bigInt({ min: 0n, max: 300n }), fc.constant((1n << 53n) - 1n));
const scoreRequest = fc.record({ requestId: text, contestId: text, accountId: text, points: int64, scoredAtUs: int64 });

/** What the columns say of a score, numbers as far as they are exact. */
function scoreIn(batch: ScoreBatch, index: number): unknown {
  const at = (column: number): number => batch.fields[index * SCORE_STRIDE + column] as number;
  return {
    requestId: batch.requestId(index),
    contestId: batch.text(at(SCORE_CONTEST_ID_AT), at(SCORE_CONTEST_ID_END)),
    accountId: batch.text(at(SCORE_ACCOUNT_ID_AT), at(SCORE_ACCOUNT_ID_END)),
    points: exact(batch.points[index] as number),
    scoredAtUs: exact(batch.scoredAtUs[index] as number),
  };
}

function exact(value: number): number | 'out of range' {
  return Number.isSafeInteger(value) ? value : 'out of range';
}

function expected({ points, scoredAtUs, ...ids }: ScoreRequest): unknown {
  return { ...ids, points: inRange(points), scoredAtUs: inRange(scoredAtUs) };
}

function inRange(value: bigint): number | 'out of range' {
  return value >= 0n && value <= Number.MAX_SAFE_INTEGER ? Number(value) : 'out of range';
}

function expectAsGenerated(bytes: Buffer): void {
  const decoded = ScoreBatchRequest.decode(bytes);
  const batch = readScoreBatch(bytes);
  expect(Array.from({ length: batch.count }, (_, index) => scoreIn(batch, index))).toEqual(decoded.scores.map(expected));
  for (const [index, score] of decoded.scores.entries()) expect(Buffer.compare(batch.body(index), canonicalBytes(ScoreRequest, score))).toBe(0);
}

test('a batch is read as the generated codec reads it, and each score lies there in its canonical form', () => {
  fc.assert(
    fc.property(fc.array(scoreRequest, { maxLength: 6 }), (scores) => {
      expectAsGenerated(Buffer.from(ScoreBatchRequest.encode({ scores }).finish()));
    }),
  );
});

test('a part of a batch is the message of its scores', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(scoreRequest, fc.boolean()), { maxLength: 5 }), (asked) => {
      const batch = readScoreBatch(Buffer.from(ScoreBatchRequest.encode({ scores: asked.map(([score]) => score) }).finish()));
      const taken = asked.flatMap(([, isTaken], index) => (isTaken ? [index] : []));
      const scores = asked.flatMap(([score, isTaken]) => (isTaken ? [score] : []));
      expect(ScoreBatchRequest.decode(batch.part(taken))).toEqual(ScoreBatchRequest.decode(ScoreBatchRequest.encode({ scores }).finish()));
    }),
  );
});

test('whatever the bytes are, a batch is what the generated codec reads in them, or is refused with its words', () => {
  fc.assert(
    fc.property(
      fc.array(scoreRequest, { minLength: 1, maxLength: 2 }),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 }),
      (scores, changes) => {
        const bytes = Buffer.from(ScoreBatchRequest.encode({ scores }).finish());
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        let refusal: unknown;
        try {
          ScoreBatchRequest.decode(bytes);
        } catch (error) {
          refusal = error;
        }
        if (refusal === undefined) expectAsGenerated(bytes);
        else expect(() => readScoreBatch(bytes)).toThrow(refusal as Error);
      },
    ),
    { numRuns: 500 },
  );
});

test.each([
  ['a field twice', Buffer.from('0a060a01610a0162', 'hex')],
  ['fields in another order', Buffer.from('0a0612016b0a0161', 'hex')],
  ['a default that is written', Buffer.from('0a050a01612000', 'hex')],
  ['a number longer than it is', Buffer.from('0a060a0161208100', 'hex')],
  ['a text that is no UTF-8', Buffer.from('0a030a01ff', 'hex')],
  ['a field that is not known', Buffer.from('0a050a01614801', 'hex')],
  ['a field of the batch that is not known', Buffer.from('0a030a01611801', 'hex')],
])('%s is read in the canonical form', (_what, bytes) => expectAsGenerated(bytes));

const points = fc.maxSafeNat();
const gift = fc.record({ giverAccountId: text.filter((id) => id !== ''), amountMinor: fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }), unit: text });
const recorded = fc.record({
  requestId: text,
  accountId: text,
  member: fc.nat({ max: 20_000 }),
  side: fc.nat({ max: 63 }),
  points,
  scoredAtUs: fc.oneof(fc.constant(0), points),
  roundPoints: points,
  totalPoints: points,
  sideRoundPoints: points,
  gift: fc.option(gift, { nil: undefined }),
  submitted: fc.boolean(),
});

test('scores are recorded in the bytes that the generated codec writes', () => {
  fc.assert(
    fc.property(text, fc.nat({ max: 120 }), fc.array(recorded, { maxLength: 4 }), (contestId, round, scores) => {
      const writer = new ScoresRecordedWriter(contestId, round);
      for (const score of scores) writer.add(score);
      const event = {
        contestId,
        round,
        scores: scores.map(({ gift: given, ...score }) =>
          RecordedScore.fromPartial({
            ...score,
            ...given,
            points: BigInt(score.points),
            scoredAtUs: BigInt(score.scoredAtUs),
            roundPoints: BigInt(score.roundPoints),
            totalPoints: BigInt(score.totalPoints),
            sideRoundPoints: BigInt(score.sideRoundPoints),
          }),
        ),
      };
      expect(Buffer.compare(writer.finish(), ScoresRecorded.encode(event).finish())).toBe(0);
    }),
  );
});

test('a score whose ids lie in bytes is recorded as one whose ids are texts', () => {
  fc.assert(
    fc.property(recorded, ({ gift: _gift, submitted: _submitted, ...score }) => {
      fc.pre(score.requestId !== '' && score.accountId !== '');
      const [fromBytes, fromTexts] = [new ScoresRecordedWriter('c', 1), new ScoresRecordedWriter('c', 1)];
      const requestIdEnd = 1 + Buffer.byteLength(score.requestId);
      const ids = Buffer.from(`-${score.requestId}${score.accountId}-`, 'utf8');
      const { member, side, points: asked, scoredAtUs, roundPoints, totalPoints, sideRoundPoints } = score;
      fromBytes.addBytes(ids, 1, requestIdEnd, requestIdEnd, ids.length - 1, member, side, asked, scoredAtUs, roundPoints, totalPoints, sideRoundPoints);
      fromTexts.add(score);
      expect(Buffer.compare(fromBytes.finish(), fromTexts.finish())).toBe(0);
    }),
  );
});

test('results and replies are written in the bytes that the generated codec writes', () => {
  const accepted = fc.record({ round: fc.nat({ max: 120 }), roundPoints: points, totalPoints: points, sideRoundPoints: points, repeated: fc.boolean() });
  const error = fc.record({ code: fc.nat({ max: 16 }), reason: text, message: text });
  fc.assert(
    fc.property(fc.array(fc.oneof(accepted, error), { maxLength: 5 }), text, (results, positionToken) => {
      const writer = new ScoreResultsWriter(results.length);
      const messages: ScoreResult[] = [];
      for (const result of results) {
        if ('code' in result) {
          writer.refused(result);
          messages.push(ScoreResult.fromPartial({ error: result }));
          continue;
        }
        const { round, roundPoints, totalPoints, sideRoundPoints, repeated } = result;
        writer.accepted(round, roundPoints, totalPoints, sideRoundPoints, repeated);
        const big = { round, roundPoints: BigInt(roundPoints), totalPoints: BigInt(totalPoints), sideRoundPoints: BigInt(sideRoundPoints) };
        messages.push(ScoreResult.fromPartial({ ...big, repeated }));
        const reply = new ByteWriter(16);
        writeScoreReply(reply, round, roundPoints, totalPoints, sideRoundPoints);
        expect(Buffer.compare(reply.copy(), ScoreResponse.encode({ ...big, repeated: false, positionToken: '' }).finish())).toBe(0);
      }
      const written = writer.finish(positionToken);
      expect(Buffer.compare(written, ScoreBatchResponse.encode({ results: messages, positionToken }).finish())).toBe(0);
      const taken = scoreResultsIn(written);
      expect(taken.positionToken).toBe(positionToken);
      const again = new ScoreResultsWriter(0);
      for (const result of taken.results) again.encoded(result);
      expect(Buffer.compare(again.finish(positionToken), written)).toBe(0);
    }),
  );
});
