/** Yesterday's events of contests are read by today's code (test/recorded-history.ts). */
import { join } from 'node:path';
import { contestEvents, contestpb } from '@sluice/protocol/contest';
import type { Asked } from '../test/aggregates-under-test';
import { ContestsUnderTest } from '../test/contests-under-test';
import { eventsWithoutHistory, historiesIn, type History, keptAnswer, readHistory, testRecordingInto } from '../test/recorded-history';

type Method = keyof typeof contestpb.ContestCommandServiceService;

const FOLDER = join(__dirname, 'history');
const SIDES = [{ sideId: 'red', accountIds: ['r1', 'r2'] }, { sideId: 'blue', accountIds: ['b1'] }, { sideId: 'green' }];

/** A contest with money. */
const RICH = 'rich';

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
  'create with a reward': [
    'createContest',
    { contestId: RICH, sides: SIDES.slice(0, 2), rules: { reward: { fundAccountId: 'fund', unit: 'EUR', amountMinor: 100n } } },
  ],
  'start without funds': ['startContest', { contestId: RICH }],
  'start with funds': ['startContest', { contestId: RICH }],
  gift: ['gift', { contestId: RICH, accountId: 'r1', giverAccountId: 'giver', amountMinor: 5n, unit: 'EUR' }],
  'scores together': [
    'scoreBatch',
    { scores: ['r1', 'r2', 'b1'].map((accountId) => ({ requestId: `of ${accountId}`, contestId: RICH, accountId, points: 2n })) },
  ],
  'submit a score': ['submitScore', { contestId: RICH, accountId: 'b1', points: 1n }],
  'submit for a stranger': ['submitScore', { contestId: RICH, accountId: 'stranger', points: 1n }],
  'end the only round': ['endRound', { contestId: RICH, round: 1 }],
};
/** What they need beside contests is there before them, as requests of their own ids. */
const BEFORE: Readonly<Record<string, (contests: ContestsUnderTest) => Promise<unknown>>> = {
  'create with a reward': async (contests) => {
    await contests.open('fund');
    await contests.open('r1');
    await contests.open('r2', 0n, { unit: 'USD' });
    await contests.open('giver', 100n);
  },
  'start with funds': (contests) => contests.post('fund', 'POSTING_TYPE_CREDIT', 500n),
};
/** What the contest comes to after a request, before the next one. */
const UNTIL: Readonly<Record<string, (contests: ContestsUnderTest) => Promise<unknown>>> = {
  'end the round': (contests) => contests.until(({ round }) => round === 2),
  'end the sudden death': (contests) => contests.until(({ phase }) => phase === 'ENDED'),
  'start without funds': (contests) => contests.until(({ fund }) => fund?.state === 'REFUSED', RICH),
  'start with funds': (contests) => contests.until(({ phase }) => phase === 'RUNNING', RICH),
  gift: (contests) => contests.until(({ roundScoreCount }) => roundScoreCount === 1, RICH),
  'submit a score': (contests) => contests.until(({ unfinishedTasks }) => unfinishedTasks === 0, RICH),
  'submit for a stranger': (contests) => contests.until(({ unfinishedTasks }) => unfinishedTasks === 0, RICH),
  'end the only round': (contests) => contests.until(({ phase }) => phase === 'ENDED', RICH),
};

function answerTo(contests: ContestsUnderTest, requestId: string): Promise<string> {
  const [method, request] = REQUESTS[requestId] as (typeof REQUESTS)[string];
  return keptAnswer(contests.call(method, { requestId, ...request }));
}

/** An answer of an earlier version lacks the fields that came later. */
function expectSame(requestId: string, now: string, kept: string): void {
  if (!kept.startsWith('{')) expect([requestId, now]).toEqual([requestId, kept]);
  else expect({ requestId, answer: JSON.parse(now) as object }).toMatchObject({ requestId, answer: JSON.parse(kept) as object });
}

async function record(): Promise<History> {
  const contests = await ContestsUnderTest.start();
  const answers: Record<string, string> = {};
  for (const requestId of Object.keys(REQUESTS)) {
    await BEFORE[requestId]?.(contests);
    answers[requestId] = await answerTo(contests, requestId);
    await UNTIL[requestId]?.(contests);
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
    for (const [requestId, answer] of Object.entries(history.answers)) expectSame(requestId, await answerTo(contests, requestId), answer);
    expect(contests.contest()).toMatchObject({ phase: 'ENDED', round: 2, winners: [1], roundsWon: [0, 0, 0], sideTotals: [7, 7, 0] });
    expect(contests.contest('{c} 2').phase).toBe('CANCELLED');
    if ('gift' in history.answers) {
      expect(contests.contest(RICH)).toMatchObject({
        phase: 'ENDED',
        winners: [0],
        sideTotals: 'submit a score' in history.answers ? [9, 3] : [9, 2],
        fund: { state: 'SETTLED', amountMinor: 200n, paidMinor: 100n },
      });
      expect(contests.balances('fund', 'r1', 'r2', 'giver')).toEqual([400n, 100n, 0n, 95n]);
    }
  }
  await contests.stop();
});
