/** Scores of a batch, which stay columns, against scores of a stream, which are requests like those of every capability. */
import * as fc from 'fast-check';
import { decodePositionToken } from '@sluice/protocol';
import { contestpb } from '@sluice/protocol/contest';
import type { Asked } from '../test/aggregates-under-test';
import { ContestsUnderTest } from '../test/contests-under-test';

const under: ContestsUnderTest[] = [];

async function running(): Promise<ContestsUnderTest> {
  const contests = await ContestsUnderTest.start();
  under.push(contests);
  await contests.create({ maximumPointsPerMemberAndRound: 200n, maximumPointsPerScore: 90n });
  await contests.create({ operator: contestpb.ScoreOperator.SCORE_OPERATOR_LATEST }, 'latest é');
  await contests.create({}, 'created only');
  for (const contestId of ['c', 'latest é']) await contests.call('startContest', { contestId });
  return contests;
}

afterEach(async () => {
  for (const contests of under.splice(0)) await contests.end();
});

const often = <Value>(value: Value, ...others: Value[]): fc.Arbitrary<Value> =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: fc.constantFrom(value, ...others) });
const score = fc.record({
  requestId: fc.oneof(
    fc.nat({ max: 400 }).map((number) => `s${number}`),
    often('repeated', '', 'x'.repeat(129), 'é', 'x'.repeat(128)),
  ),
  contestId: fc.oneof(often('c', 'nobody knows', '', 'y'.repeat(129)), often('latest é', 'created only')),
  accountId: fc.oneof(fc.constantFrom('r1', 'r2', 'b1'), often('r1', 'stranger', '', 'z'.repeat(200))),
  points: fc.oneof(fc.bigInt({ min: 1n, max: 60n }), often(1n, 0n, -1n, 91n, 1n << 60n)),
  scoredAtUs: fc.oneof(fc.bigInt({ min: 1n, max: 50n }), often(0n, -1n, 1n << 53n)),
});
const batches = fc.sample(fc.array(score, { minLength: 60, maxLength: 200 }), { numRuns: 6, seed: 12 });

/** A result without the place of the score in its message. */
function said({ error, ...result }: contestpb.ScoreResult): unknown {
  return { ...result, error: error && { ...error, message: error.message.replace(/^scores?(\[\d+\])?\./, '') } };
}

async function ofStream(contests: ContestsUnderTest, scores: readonly Asked[]): Promise<unknown[]> {
  return (await contests.stream(scores)).map(({ result }) => said(result as contestpb.ScoreResult));
}

async function ofBatch(contests: ContestsUnderTest, scores: readonly Asked[]): Promise<unknown[]> {
  return (await contests.call('scoreBatch', { scores })).results.map(said);
}

test('a batch has the results of a stream, and leaves the same bytes in the log', async () => {
  const [columns, requests] = [await running(), await running()];
  for (const scores of batches) {
    expect(await ofBatch(columns, scores)).toEqual(await ofStream(requests, scores));
    expect(columns.commits()).toEqual(requests.commits());
  }
  expect(columns.contest().roundScoreCount).toBeGreaterThan(0);
  expect([columns.troubles, requests.troubles]).toEqual([[], []]);
});

test('a batch is answered again as it was, from the memory, the log and a snapshot', async () => {
  const contests = await running();
  const [scores] = batches as [(typeof batches)[number]];
  await ofBatch(contests, scores);
  const known = contests.commits();
  const again = await ofStream(contests, scores);
  for (const then of [async () => undefined, () => contests.crash(), () => contests.restart()]) {
    await then();
    expect(await ofBatch(contests, scores)).toEqual(again);
  }
  expect(contests.commits().flat()).toEqual(expect.arrayContaining(known.flat()));
});

test('an empty batch and one that is too large are refused', async () => {
  const contests = await running();
  expect(await contests.refusal('scoreBatch', { scores: [] })).toBe('INVALID_REQUEST');
  const scores = Array.from({ length: 10_001 }, () => ({ contestId: 'c' }));
  expect(await contests.refusal('scoreBatch', { scores })).toBe('BATCH_TOO_LARGE');
});

test('scores of a partition that nobody serves are unavailable, the others of the batch are recorded', async () => {
  const contests = await running();
  const elsewhere = Array.from({ length: 100 }, (_, at) => `contest ${at}`).find((id) => contests.partitionOf(id) !== contests.partitionOf('c')) as string;
  await contests.create({}, elsewhere);
  await contests.call('startContest', { contestId: elsewhere });
  const scores = ['c', elsewhere, 'c', elsewhere].map((contestId, at) => ({ contestId, requestId: `s${at}`, accountId: 'r1', points: 2n }));
  await contests.disown(elsewhere);
  const said = (results: readonly contestpb.ScoreResult[]) =>
    results.map(({ roundPoints, repeated, error }) => error?.reason ?? [Number(roundPoints), repeated]);
  const { results, positionToken } = await contests.call('scoreBatch', { scores });
  expect(said(results)).toEqual([[2, false], 'PARTITION_UNAVAILABLE', [4, false], 'PARTITION_UNAVAILABLE']);
  expect([...decodePositionToken(positionToken).sequences.keys()]).toEqual([contests.partitionOf('c')]);
  await contests.crash();
  expect(said((await contests.call('scoreBatch', { scores })).results)).toEqual([
    [2, true],
    [2, false],
    [4, true],
    [4, false],
  ]);
});
