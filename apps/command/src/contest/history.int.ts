/** Yesterday's events of contests are read by today's code (test/recorded-history.ts). */
import { join } from 'node:path';
import { contestEvents, contestpb } from '@sluice/protocol/contest';
import { ContestsUnderTest, type Asked } from '../test/contests-under-test';
import { eventsWithoutHistory, historiesIn, type History, keptAnswer, readHistory, testRecordingInto } from '../test/recorded-history';

type Method = keyof typeof contestpb.ContestCommandServiceService;

const FOLDER = join(__dirname, 'history');
const SIDES = [{ sideId: 'red', accountIds: ['r1', 'r2'] }, { sideId: 'blue', accountIds: ['b1'] }, { sideId: 'green' }];

/** Requests that make every event, by their ids. */
const REQUESTS: Readonly<Record<string, readonly [Method, Asked]>> = {
  create: [
    'createContest',
    {
      title: 'the first one',
      sides: SIDES,
      rules: {
        joinUntilUs: 9_000_000_000_000_000n,
        operator: contestpb.ScoreOperator.SCORE_OPERATOR_LATEST,
        tieRule: contestpb.TieRule.TIE_RULE_SUDDEN_DEATH,
        maximumPointsPerScore: 100n,
      },
    },
  ],
  'create again': ['createContest', { sides: SIDES }],
  join: ['joinContest', { sideId: 'green', accountIds: ['g1', 'g2'] }],
  start: ['startContest', {}],
  score: ['score', { accountId: 'r1', points: 7n, scoredAtUs: 1_000n }],
  'score of before': ['score', { accountId: 'r1', points: 8n, scoredAtUs: 999n }],
  'score too much': ['score', { accountId: 'r1', points: 101n, scoredAtUs: 1_001n }],
  'score of blue': ['score', { accountId: 'b1', points: 7n, scoredAtUs: 1_002n }],
  'end the round': ['endRound', { round: 1 }],
  'score in the sudden death': ['score', { accountId: 'b1', points: 1n, scoredAtUs: 1_003n }],
  'score of green': ['score', { accountId: 'g1', points: 1n, scoredAtUs: 1_004n }],
  'end the sudden death': ['endRound', { round: 2 }],
  'create another': ['createContest', { contestId: '{c} 2', sides: SIDES }],
  cancel: ['cancelContest', { contestId: '{c} 2', note: 'rain' }],
};

function answerTo(contests: ContestsUnderTest, requestId: string): Promise<string> {
  const [method, request] = REQUESTS[requestId] as (typeof REQUESTS)[string];
  return keptAnswer(contests.call(method, { requestId, ...request }));
}

async function record(): Promise<History> {
  const contests = await ContestsUnderTest.start();
  const answers: Record<string, string> = {};
  for (const requestId of Object.keys(REQUESTS)) {
    answers[requestId] = await answerTo(contests, requestId);
    if (requestId === 'end the round') await contests.until(({ round }) => round === 2);
    if (requestId === 'end the sudden death') await contests.until(({ phase }) => phase === 'ENDED');
  }
  const commits = contests.commits();
  await contests.stop();
  return { commits, answers };
}

testRecordingInto(FOLDER, record);

test('the histories have every event, in every version that can be read', () => {
  expect(eventsWithoutHistory(FOLDER, contestEvents.known())).toEqual([]);
});

test.each(historiesIn(FOLDER))('%s: requests get their first answers again, from the log and from a snapshot, and the contest has its winner', async (name) => {
  const history = readHistory(FOLDER, name);
  const contests = await ContestsUnderTest.over(history.commits);
  for (const restart of [async () => undefined, () => contests.restart()]) {
    await restart();
    for (const [requestId, answer] of Object.entries(history.answers)) expect([requestId, await answerTo(contests, requestId)]).toEqual([requestId, answer]);
    expect(contests.contest()).toMatchObject({ phase: 'ENDED', round: 2, winners: [1], roundsWon: [0, 0, 0], sideTotals: [7, 7, 0] });
    expect(contests.contest('{c} 2').phase).toBe('CANCELLED');
  }
  await contests.stop();
});
