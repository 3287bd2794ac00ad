import * as fc from 'fast-check';
import { RecordedScore, ScoresRecorded } from '../generated/sluice/contest/v1/events';
import { ScoreRow } from '../generated/sluice/contest/v1/rows';
import { RecordedScores, type ScoreOutcome } from './recorded-scores';

const points = fc.bigInt({ min: 0n, max: BigInt(Number.MAX_SAFE_INTEGER) });

test('what is read by hand is what the generated codec reads', () => {
  const score = fc
    .record({
      requestId: fc.string(),
      accountId: fc.string(),
      member: fc.nat({ max: 20_000 }),
      side: fc.nat({ max: 63 }),
      points,
      scoredAtUs: points,
      giverAccountId: fc.string(),
      roundPoints: points,
      totalPoints: points,
      sideRoundPoints: points,
      submitted: fc.boolean(),
    })
    .map((fields) => RecordedScore.fromPartial(fields));
  fc.assert(
    fc.property(fc.string(), fc.nat({ max: 120 }), fc.array(score, { maxLength: 5 }), (contestId, round, scores) => {
      const payload = ScoresRecorded.encode({ contestId, round, scores }).finish();
      const recorded = new RecordedScores(payload);
      const read: number[][] = [];
      recorded.forEach((...numbers) => void read.push(numbers));
      expect([recorded.contestId, recorded.round]).toEqual([contestId, round]);
      expect(read).toEqual(scores.map((one) => [one.member, one.side, Number(one.points), Number(one.scoredAtUs)]));
      const outcomes: ScoreOutcome[] = [];
      const bytes: Uint8Array[] = [ScoreRow.encode({ round, scores: [] }).finish()];
      recorded.forEachOutcome((outcome) => {
        outcomes.push({ ...outcome });
        bytes.push(payload.subarray(outcome.startAt, outcome.endAt));
      });
      expect(outcomes).toMatchObject(
        scores.map(({ member, side, roundPoints, totalPoints, sideRoundPoints, submitted, requestId }) => ({
          ...{ member, side, submittedId: submitted ? requestId : '' },
          ...{ roundPoints: Number(roundPoints), totalPoints: Number(totalPoints), sideRoundPoints: Number(sideRoundPoints) },
        })),
      );
      expect(Buffer.concat(bytes).equals(ScoreRow.encode({ round, scores }).finish())).toBe(true);
    }),
  );
});
