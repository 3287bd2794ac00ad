import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { footballContest, roundOf } from './football-contest';
import { type FootballMatch, readFootball } from './football-file';

const goal = (number: number, minute: number, team: string, scorer: string) => ({ number, minute, team, scorer });
const MATCH: FootballMatch = {
  line: 2,
  matchId: '1999/A/B',
  home: 'A',
  away: 'B',
  homeScore: 2,
  awayScore: 1,
  shootoutWinner: '',
  goals: [goal(0, 45, 'A', 'Ann'), goal(1, 46, 'B', 'Ann'), goal(2, 91, 'A', 'Ann')],
};

test('a match is a contest of three rounds between its teams, with the scorers of each as members', () => {
  const { input, rounds, winners, goals } = footballContest(MATCH, 'f');
  expect(input).toMatchObject({
    contestId: 'f/1999/A/B',
    sides: [
      { sideId: 'A', accountIds: ['f/A', 'f/A/Ann'] },
      { sideId: 'B', accountIds: ['f/B', 'f/B/Ann'] },
    ],
    rules: { rounds: 3, tieRule: 'NONE' },
  });
  expect(rounds.map((scores) => scores.map(({ score, totalPoints }) => `${score.requestId} ${score.accountId} ${totalPoints}`))).toEqual([
    ['goal-0 f/A/Ann 1'],
    ['goal-1 f/B/Ann 1'],
    ['goal-2 f/A/Ann 2'],
  ]);
  expect(winners).toEqual(['f/A', 'f/A/Ann']);
  expect([...goals]).toEqual([
    ['f/A/Ann', 2],
    ['f/B/Ann', 1],
  ]);
});

test.each`
  minute | round
  ${1}   | ${1}
  ${45}  | ${1}
  ${46}  | ${2}
  ${90}  | ${2}
  ${91}  | ${3}
  ${122} | ${3}
`('a goal in minute $minute is of round $round', ({ minute, round }: { minute: number; round: number }) => {
  expect(roundOf({ minute })).toBe(round);
});

test.each`
  what                                 | changes                                  | winners  | rounds
  ${'a draw'}                          | ${{ awayScore: 2 }}                      | ${[]}    | ${3}
  ${'a draw with a shootout'}          | ${{ awayScore: 2, shootoutWinner: 'B' }} | ${['B']} | ${4}
  ${'a shootout of a decided match'}   | ${{ shootoutWinner: 'B' }}               | ${['A']} | ${3}
  ${'a shootout that a stranger wins'} | ${{ awayScore: 2, shootoutWinner: 'C' }} | ${[]}    | ${3}
`('$what has $rounds rounds', ({ changes, winners, rounds }: { changes: Partial<FootballMatch>; winners: string[]; rounds: number }) => {
  const contest = footballContest({ ...MATCH, ...changes }, 'f');
  expect([contest.winnerSideIds, contest.rounds.length, contest.input.rules?.tieRule]).toEqual([winners, rounds, rounds === 4 ? 'SUDDEN_DEATH' : 'NONE']);
});

describe('files', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-football-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const read = async (matches: readonly string[], goals: readonly string[]): Promise<FootballMatch[]> => {
    const [matchesFile, goalsFile] = [join(folder, 'matches.csv'), join(folder, 'goals.csv')];
    await writeFile(matchesFile, ['match_id,home,away,home_score,away_score,shootout_winner', ...matches].join('\n'));
    await writeFile(goalsFile, ['match_id,n,minute,team,scorer', ...goals].join('\n'));
    return readFootball(matchesFile, goalsFile);
  };

  test('are read together', async () => {
    expect(await read(['m,A,B,1,0,'], ['m,0,12,A,Ann'])).toEqual([
      { line: 2, matchId: 'm', home: 'A', away: 'B', homeScore: 1, awayScore: 0, shootoutWinner: '', goals: [goal(0, 12, 'A', 'Ann')] },
    ]);
  });

  test.each`
    matches                         | goals                               | problem
    ${['m,A,B,1,0,', 'm,A,B,1,0,']} | ${['m,0,12,A,Ann']}                 | ${'line 3: match m is on line 2 already'}
    ${['m,A,A,1,0,']}               | ${['m,0,12,A,Ann']}                 | ${'line 2: A plays against itself'}
    ${['m,A,B,x,0,']}               | ${['m,0,12,A,Ann']}                 | ${'line 2: home_score is "x", not a whole number'}
    ${['m,A,B,1,0,']}               | ${['n,0,12,A,Ann']}                 | ${'line 2: there is no match n'}
    ${['m,A,B,1,0,']}               | ${['m,0,12,C,Ann']}                 | ${'line 2: C does not play in match m'}
    ${['m,A,B,1,0,']}               | ${['m,0,12,A,Ann', 'm,0,13,A,Ann']} | ${'line 3: goal 0 of match m is there twice'}
    ${['m,A,B,1,0,']}               | ${['m,0,12,A,']}                    | ${'line 2: scorer is empty'}
  `('that are malformed are refused: $problem', async ({ matches, goals, problem }: { matches: string[]; goals: string[]; problem: string }) => {
    await expect(read(matches, goals)).rejects.toThrow(problem);
  });
});
