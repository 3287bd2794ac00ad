import type { Contest, WatchedStandings } from '@sluice/client';
import { Output } from '../output';
import { scoreboard, scoreLine } from './scoreboard';
import { showStandings } from './watch';

const side = (sideId: string, points: number, roundPoints: number) => ({ sideId, points, roundPoints, roundsWon: 0, memberCount: 2 });

function standings(changes: Partial<Contest> = {}): WatchedStandings {
  const contest = {
    contestId: 'cup',
    title: 'Cup final',
    phase: 'RUNNING',
    rules: { rounds: 3 },
    sides: [side('red', 1_200, 20), side('blue', 600, 5)],
    round: 2,
    roundEndsAt: new Date(61_500),
    suddenDeathSideIds: [],
    winnerSideIds: [],
    scoreCount: 1_234,
    ...changes,
  } as unknown as Contest;
  const members = [
    { rank: 1, accountId: 'ada', sideId: 'red', points: 1_000, roundPoints: 20 },
    { rank: 2, accountId: 'linus', sideId: 'blue', points: 600, roundPoints: 5 },
  ];
  return { contest, members, member: undefined, memberCount: 4 };
}

test('a scoreboard has the sides as bars, the time left and the first members', () => {
  expect(scoreboard(standings(), 50, 0)).toEqual([
    'Cup final         round 2 of 3, RUNNING, 1:02 left',
    '',
    `red   ${'█'.repeat(32)}  1,200  +20`,
    `blue  ${'█'.repeat(16)}${'░'.repeat(16)}    600   +5`,
    '',
    '1  ada    red   1,000  +20',
    '2  linus  blue    600  +5',
    '',
    '1,234 scores, 4 members',
  ]);
});

test.each`
  phase            | changes                                                    | text
  ${'CREATED'}     | ${{ round: 0 }}                                            | ${'CREATED'}
  ${'RUNNING'}     | ${{ roundEndsAt: undefined }}                              | ${'round 2 of 3, RUNNING'}
  ${'RUNNING'}     | ${{ roundEndsAt: new Date(0) }}                            | ${'round 2 of 3, RUNNING, 0:00 left'}
  ${'RUNNING'}     | ${{ suddenDeathSideIds: ['red'], roundEndsAt: undefined }} | ${'sudden death, RUNNING'}
  ${'RECONCILING'} | ${{}}                                                      | ${'round 2 of 3, RECONCILING'}
  ${'ENDED'}       | ${{ winnerSideIds: ['red'] }}                              | ${'ENDED, won by red'}
  ${'ENDED'}       | ${{}}                                                      | ${'ENDED, nobody won'}
`('a contest that is $phase shows "$text"', ({ phase, changes, text }: { phase: Contest['phase']; changes: Partial<Contest>; text: string }) => {
  expect(scoreboard(standings({ ...changes, phase }), 80, 1_000)[0]?.endsWith(` ${text}`)).toBe(true);
});

test('no line is longer than the terminal is wide', () => {
  const wide = standings({
    title: 'a title that is far longer than any terminal could ever be',
    sides: [side('a side with a name of length', 1, 0), side('b', 0, 0)],
  });
  for (const columns of [20, 40, 79]) expect(Math.max(...scoreboard(wide, columns, 0).map(({ length }) => length))).toBeLessThanOrEqual(columns);
});

test('what callers have named cannot move the cursor', () => {
  const named = standings({ title: '\u001b[2J\nfinal', sides: [side('\u001b[1mred', 1, 0), side('blue\r', 0, 0)], phase: 'ENDED', winnerSideIds: ['blue\r'] });
  const text = scoreboard(named, 100, 0).join('');
  expect(text).toContain('\\u001b[2J\\u000afinal');
  expect([...text].filter((character) => character < ' ')).toEqual([]);
});

test('for a pipe a change is one line', () => {
  expect(scoreLine(standings(), 1_500)).toBe(
    '1970-01-01T00:00:01.500Z  round 2 of 3, RUNNING, 1:00 left  red 1200 (20 in the round)  blue 600 (5 in the round)  first ada 1000  1234 scores',
  );
});

test('a terminal that does not know its size gets everything', async () => {
  let written = '';
  const screen = { write: (text: string) => (written += text), isTTY: true, rows: 0, columns: 0 };
  const seen = (async function* () {
    yield standings();
  })();
  await showStandings(seen, new Output({ results: screen, messages: screen }, false), screen);
  expect(written).toContain('Cup final');
  expect(written).toContain('1,234 scores, 4 members');
});
