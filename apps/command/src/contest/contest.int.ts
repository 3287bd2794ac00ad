/** Contests through the command service: scores, rounds, reconciliation with the log, winners; repeats, restarts and crashes on the way. */
import type { Asked } from '../test/aggregates-under-test';
import { ContestsUnderTest } from '../test/contests-under-test';
import { contestRecord } from './contest-record';

let contests: ContestsUnderTest | undefined;

async function started(adapter: string): Promise<ContestsUnderTest> {
  contests = await ContestsUnderTest.start(adapter);
  return contests;
}

afterEach(async () => {
  await contests?.end();
  contests = undefined;
});

const score = (accountId: string, points: bigint, requestId: string): Asked => ({ accountId, points, requestId });

describe.each(['memory', 'SQLite'])('on the %s log', (adapter) => {
  test('a contest goes from its creation to its winner', async () => {
    const under = await started(adapter);
    await under.create({ rounds: 2, roundDurationMs: 60_000n, joinUntilUs: BigInt(under.clock.nowUs() + 1_000_000) });
    expect(await under.call('joinContest', { sideId: 'blue', accountIds: ['b2', 'b3'] })).toMatchObject({ memberCount: 3 });
    const { roundEndsAtUs } = await under.call('startContest', {});
    expect(roundEndsAtUs).toBe(BigInt(under.clock.nowUs() + 60_000_000));
    expect(await under.call('score', score('r1', 5n, 's1'))).toMatchObject({
      round: 1,
      roundPoints: 5n,
      totalPoints: 5n,
      sideRoundPoints: 5n,
      repeated: false,
    });
    const { results } = await under.call('scoreBatch', {
      scores: [score('r2', 2n, 's2'), score('stranger', 1n, 's3'), score('r1', 5n, 's1'), score('b3', 4n, 's4')].map((asked) => ({ contestId: 'c', ...asked })),
    });
    expect(results.map(({ sideRoundPoints, repeated, error }) => error?.reason ?? `${sideRoundPoints}${repeated ? ' again' : ''}`)).toEqual([
      '7',
      'CONTEST_MEMBER_NOT_FOUND',
      '5 again',
      '4',
    ]);
    expect((await under.call('endRound', { round: 1 })).sides).toEqual([
      { sideId: 'red', points: 7n },
      { sideId: 'blue', points: 4n },
    ]);
    expect(await under.refusal('score', score('r1', 1n, 'too late'))).toBe('CONTEST_ROUND_CLOSED');
    await under.until(({ round }) => round === 2);
    expect(await under.call('score', score('b1', 9n, 's5'))).toMatchObject({ round: 2, roundPoints: 9n, totalPoints: 9n, sideRoundPoints: 9n });
    await under.clock.elapse(60_000);
    expect(await under.refusal('score', score('b1', 9n, 's6'))).toBe('CONTEST_ROUND_CLOSED');
    await under.until(({ phase }) => phase !== 'RUNNING');
    const { winners, sideTotals } = await under.until(({ phase }) => phase === 'ENDED');
    expect({ winners, sideTotals }).toEqual({ winners: [1], sideTotals: [7, 13] });
    expect(await under.refusal('score', score('b1', 9n, 's7'))).toBe('CONTEST_FINISHED');
    expect(under.troubles).toEqual([]);
  });

  test('requests have one answer, from the log and from a snapshot, and the state is the same', async () => {
    const under = await started(adapter);
    await under.create({ rounds: 2, maximumPointsPerMemberAndRound: 10n });
    await under.call('startContest', {});
    await under.call('score', score('r1', 6n, 's1'));
    expect(await under.refusal('score', score('r1', 5n, 's2'))).toBe('CONTEST_ROUND_LIMIT_EXCEEDED');
    await under.call('score', score('b1', 10n, 's3'));
    const before = contestRecord.encode(under.contest());
    for (const again of [() => under.crash(), () => under.restart(), () => under.restart()]) {
      await again();
      expect(Buffer.compare(contestRecord.encode(under.contest()), before)).toBe(0);
      expect(await under.call('score', score('r1', 6n, 's1'))).toMatchObject({ roundPoints: 6n, repeated: true });
      expect(await under.refusal('score', score('r1', 5n, 's2'))).toBe('CONTEST_ROUND_LIMIT_EXCEEDED');
      expect(await under.refusal('score', score('r1', 4n, 's1'))).toBe('REQUEST_ID_REUSED');
    }
    expect(await under.call('score', score('r1', 4n, 's4'))).toMatchObject({ roundPoints: 10n, totalPoints: 10n, sideRoundPoints: 10n });
  });

  test('a submitted score outlives its owner, from the log and from a snapshot, and is recorded once', async () => {
    const under = await started(adapter);
    await under.create({ maximumPointsPerScore: 9n });
    expect(await under.refusal('submitScore', score('r1', 6n, 'too early'))).toBe('CONTEST_NOT_STARTED');
    await under.call('startContest', {});
    for (const [requestId, points] of [
      ['s1', 6n],
      ['s2', 10n],
    ] as const)
      expect(await under.call('submitScore', score('r1', points, requestId))).toMatchObject({ taskId: `score/${requestId}`, repeated: false });
    for (const again of [() => under.crash(), () => under.restart(), () => under.restart()]) {
      await again();
      expect(under.contest()).toMatchObject({ unfinishedTasks: 2, sideRoundPoints: [0, 0] });
      expect(await under.call('submitScore', score('r1', 6n, 's1'))).toMatchObject({ taskId: 'score/s1', repeated: true });
      expect(await under.refusal('submitScore', score('r1', 7n, 's1'))).toBe('REQUEST_ID_REUSED');
    }
    await under.until(({ unfinishedTasks }) => unfinishedTasks === 0);
    for (const again of [async () => undefined, () => under.crash(), () => under.restart()]) {
      await again();
      expect(under.contest()).toMatchObject({ unfinishedTasks: 0, sideRoundPoints: [6, 0], roundScoreCount: 1 });
      expect(await under.call('submitScore', score('r1', 6n, 's1'))).toMatchObject({ taskId: 'score/s1', repeated: true });
      expect(await under.refusal('score', score('r1', 6n, 's1'))).toBe('REQUEST_ID_REUSED');
    }
    await under.call('endRound', { round: 1 });
    expect((await under.until(({ phase }) => phase === 'ENDED')).winners).toEqual([0]);
    expect(under.troubles).toEqual([]);
  });

  test('an owner that dies before a round is reconciled leaves that to the next one', async () => {
    const under = await started(adapter);
    await under.create();
    await under.call('startContest', {});
    await under.call('score', score('r1', 6n, 's1'));
    await under.call('endRound', { round: 1 });
    await under.crash();
    expect(under.contest().phase).toBe('RECONCILING');
    const { winners } = await under.until(({ phase }) => phase === 'ENDED');
    expect(winners).toEqual([0]);
  });
});

test('points that are not the sums of the log name no winner, and the operator is told', async () => {
  const under = await started('memory');
  await under.create();
  await under.call('startContest', {});
  await under.call('score', score('r1', 6n, 's1'));
  await under.call('endRound', { round: 1 });
  under.contest().sideRoundPoints[1] = 7;
  await under.fireDue();
  while (under.troubles.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(under.troubles).toEqual(['round 1 of contest c is not reconciled yet: Error: its points are not the sums of its scores in the log']);
  expect(under.contest().phase).toBe('RECONCILING');
  // The memory was wrong, the log is right.
  await under.crash();
  await under.clock.elapse(5_000);
  expect((await under.until(({ phase }) => phase === 'ENDED')).winners).toEqual([0]);
});

test('the sums of a round are made from the commits of its own contest and round alone', async () => {
  const under = await started('memory');
  await under.create({ rounds: 2 });
  await under.create({}, '{c} beside it');
  for (const contestId of ['c', '{c} beside it']) await under.call('startContest', { contestId });
  // Scores of both in one commit, several times.
  for (let at = 0; at < 5; at += 1) {
    const scores = [
      { ...score('r1', 1n, `s${at}`), contestId: 'c' },
      { ...score('b1', 3n, `s${at}`), contestId: '{c} beside it' },
    ];
    await under.call('scoreBatch', { scores });
  }
  await under.call('endRound', { round: 1 });
  await under.until(({ round }) => round === 2);
  await under.call('score', score('b1', 1n, 'second'));
  await under.call('endRound', { round: 2 });
  expect((await under.until(({ phase }) => phase === 'ENDED')).sideTotals).toEqual([5, 1]);
  expect(under.troubles).toEqual([]);
});

test('submitted scores that are executed together are one event, and what was refused has its reason in the log', async () => {
  const under = await started('memory');
  await under.create();
  await under.call('startContest', {});
  for (const accountId of ['r1', 'r2', 'b1', 'stranger']) await under.call('submitScore', score(accountId, 2n, `of ${accountId}`));
  await under.until(({ unfinishedTasks }) => unfinishedTasks === 0);
  const { ScoreSubmitted, ScoresRecorded, ScoreRefused } = under.recorded();
  expect(ScoreSubmitted).toHaveLength(4);
  expect(ScoresRecorded).toMatchObject([
    { round: 1, scores: ['r1', 'r2', 'b1'].map((accountId) => ({ requestId: `of ${accountId}`, accountId, submitted: true })) },
  ]);
  expect(ScoreRefused).toEqual([{ contestId: 'c', requestId: 'of stranger', accountId: 'stranger', reason: 'CONTEST_MEMBER_NOT_FOUND' }]);
});

test('scores of a stream are answered one by one; a bad one harms no other, and a repeat gets its first answer', async () => {
  const under = await started('memory');
  await under.create();
  await under.create({}, 'not started');
  await under.call('startContest', {});
  const asked = [
    score('r1', 5n, 's1'),
    score('stranger', 1n, 's2'),
    score('r1', 0n, 's3'),
    score('b1', 4n, 's4'),
    score('r1', 5n, 's1'),
    score('r1', 6n, 's1'),
  ];
  const answers = await under.stream([...asked.map((one) => ({ contestId: 'c', ...one })), { ...score('r1', 1n, 's5'), contestId: 'not started' }]);
  expect(
    answers.map(({ requestId, contestId, result }) => [contestId, requestId, result?.error?.reason ?? result?.sideRoundPoints, result?.repeated ?? false]),
  ).toEqual([
    ['c', 's1', 5n, false],
    ['c', 's2', 'CONTEST_MEMBER_NOT_FOUND', false],
    ['c', 's3', 'INVALID_REQUEST', false],
    ['c', 's4', 4n, false],
    ['c', 's1', 5n, true],
    ['c', 's1', 'REQUEST_ID_REUSED', false],
    ['not started', 's5', 'CONTEST_NOT_STARTED', false],
  ]);
  expect(under.contest()).toMatchObject({ roundScoreCount: 2, sideRoundPoints: [5, 4] });
});

describe('bad input', () => {
  let under: ContestsUnderTest;

  beforeAll(async () => {
    under = await ContestsUnderTest.start();
    await under.create();
  });
  afterAll(() => under.stop());

  test.each`
    method             | request                                                                  | reason
    ${'createContest'} | ${{}}                                                                    | ${'INVALID_REQUEST'}
    ${'createContest'} | ${{ sides: [{ sideId: 'a', accountIds: ['x'] }, { sideId: 'b', accountIds: ['x'] }] }} | ${'INVALID_REQUEST'}
    ${'createContest'} | ${{ sides: [{ sideId: 'a' }, { sideId: '' }] }}                          | ${'INVALID_REQUEST'}
    ${'createContest'} | ${{ sides: [{ sideId: 'a' }, { sideId: 'b' }], rules: { rounds: 101 } }} | ${'INVALID_REQUEST'}
    ${'createContest'} | ${{ sides: [{ sideId: 'a' }, { sideId: 'b' }], rules: { tieRule: 9 } }}  | ${'INVALID_REQUEST'}
    ${'createContest'} | ${{ sides: [{ sideId: 'a' }, { sideId: 'b' }] }}                         | ${'CONTEST_EXISTS'}
    ${'createContest'} | ${{ contestId: '', sides: [{ sideId: 'a' }, { sideId: 'b' }] }}          | ${'INVALID_REQUEST'}
    ${'joinContest'}   | ${{ sideId: 'red', accountIds: [] }}                                     | ${'INVALID_REQUEST'}
    ${'joinContest'}   | ${{ sideId: 'red', accountIds: ['x', 'x'] }}                             | ${'INVALID_REQUEST'}
    ${'joinContest'}   | ${{ sideId: 'red', accountIds: ['x'] }}                                  | ${'CONTEST_JOIN_CLOSED'}
    ${'startContest'}  | ${{ contestId: 'other' }}                                                | ${'CONTEST_NOT_FOUND'}
    ${'score'}         | ${{ accountId: 'r1', points: 1n }}                                       | ${'CONTEST_NOT_STARTED'}
    ${'score'}         | ${{ accountId: 'r1', points: 0n }}                                       | ${'INVALID_REQUEST'}
    ${'score'}         | ${{ accountId: 'r1', points: 1_000_000_000_001n }}                       | ${'INVALID_REQUEST'}
    ${'score'}         | ${{ accountId: '', points: 1n }}                                         | ${'INVALID_REQUEST'}
    ${'score'}         | ${{ accountId: 'r1', points: 1n, scoredAtUs: -1n }}                      | ${'INVALID_REQUEST'}
    ${'submitScore'}   | ${{ accountId: 'r1', points: 1n }}                                       | ${'CONTEST_NOT_STARTED'}
    ${'submitScore'}   | ${{ accountId: 'r1', points: 0n }}                                       | ${'INVALID_REQUEST'}
    ${'submitScore'}   | ${{ accountId: '', points: 1n }}                                         | ${'INVALID_REQUEST'}
    ${'submitScore'}   | ${{ contestId: 'other', accountId: 'r1', points: 1n }}                   | ${'CONTEST_NOT_FOUND'}
    ${'endRound'}      | ${{ round: 0 }}                                                          | ${'INVALID_REQUEST'}
    ${'endRound'}      | ${{ round: 1 }}                                                          | ${'CONTEST_NOT_STARTED'}
    ${'cancelContest'} | ${{ note: 'n'.repeat(257) }}                                             | ${'INVALID_REQUEST'}
  `('$method with $request is refused with $reason', async ({ method, request, reason }: { method: 'score'; request: Asked; reason: string }) => {
    expect(await under.refusal(method, request)).toBe(reason);
  });
});

test('bytes that are no request are refused by every method', async () => {
  const under = await started('memory');
  // A field of a length that the message does not have.
  const bytes = Buffer.from([0x0a, 0x05, 0x61]);
  const methods = ['createContest', 'joinContest', 'startContest', 'score', 'scoreBatch', 'gift', 'giftBatch', 'submitScore', 'endRound', 'cancelContest'];
  const refusals = await Promise.all(methods.map(async (method) => [method, await under.refusalOfBytes(method, bytes)]));
  expect(refusals).toEqual(methods.map((method) => [method, 'INVALID_REQUEST']));
});
