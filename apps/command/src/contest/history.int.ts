/**
 * Yesterday's events of contests are read by today's code: a log as an earlier version wrote it, with the requests that made it and their
 * answers. A file in `history` is never changed. A new event, or a new version of one, gets a new file:
 *
 *   SLUICE_RECORD_HISTORY=2026-12-contest-v2 npx jest … history.int.ts
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCommit } from '@sluice/protocol';
import { contestEvents, contestpb } from '@sluice/protocol/contest';
import { ContestsUnderTest, type Asked } from '../test/contests-under-test';

type Method = keyof typeof contestpb.ContestCommandServiceService;

interface History {
  readonly commits: string[][];
  readonly answers: Readonly<Record<string, string>>;
}

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

async function answerTo(contests: ContestsUnderTest, requestId: string): Promise<string> {
  const [method, request] = REQUESTS[requestId] as (typeof REQUESTS)[string];
  try {
    const answer: unknown = await contests.call(method, { requestId, ...request });
    return JSON.stringify(answer, (name, value: unknown) =>
      name === 'repeated' || name === 'positionToken' ? undefined : typeof value === 'bigint' ? String(value) : value,
    );
  } catch (error) {
    return (error as { reason?: string }).reason ?? String(error);
  }
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

const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));

const recording = process.env['SLUICE_RECORD_HISTORY'];
if (recording !== undefined) {
  test('a history is recorded', async () => {
    const file = join(FOLDER, `${recording}.json`);
    if (existsSync(file)) throw new Error(`${file} is there already; a history is never changed`);
    writeFileSync(file, `${JSON.stringify(await record(), undefined, 1)}\n`);
  });
}

test('the histories have every event, in every version that can be read', () => {
  const found = new Set(
    names
      .flatMap((name) => (JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as History).commits.flat())
      .flatMap((text) => readCommit(Buffer.from(text, 'base64')).events.map(({ type, version }) => `${type}/${version}`)),
  );
  expect(contestEvents.known().flatMap(({ type, version }) => (found.has(`${type}/${version}`) ? [] : `${type}/${version}`))).toEqual([]);
});

test.each(names)('%s: requests get their first answers again, from the log and from a snapshot, and the contest has its winner', async (name) => {
  const history = JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as History;
  const contests = await ContestsUnderTest.over(history.commits);
  for (const restart of [async () => undefined, () => contests.restart()]) {
    await restart();
    for (const [requestId, answer] of Object.entries(history.answers)) expect([requestId, await answerTo(contests, requestId)]).toEqual([requestId, answer]);
    expect(contests.contest()).toMatchObject({ phase: 'ENDED', round: 2, winners: [1], roundsWon: [0, 0, 0], sideTotals: [7, 7, 0] });
    expect(contests.contest('{c} 2').phase).toBe('CANCELLED');
  }
  await contests.stop();
});
