/** Contests over the wire: command line and client library against a server as built. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Contest, SluiceClient, type SluiceError, type WatchedStandings } from '@sluice/client';
import { EXIT } from '../exit-code';
import { cli, jsonLines, ServedSluice } from '../testing/cli-for-tests';

const folder = mkdtempSync(join(tmpdir(), 'sluice-contests-'));
let served: ServedSluice;
let client: SluiceClient;

beforeAll(async () => {
  served = await ServedSluice.start({ SLUICE_DATA_DIR: join(folder, 'data') });
  client = new SluiceClient({ target: served.address });
});

afterAll(async () => {
  client.close();
  await served.end('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
});

const plain = (...argv: readonly string[]) => cli(['contest', ...argv, '--target', served.address]);
const json = async <Item>(...argv: readonly string[]): Promise<Item[]> => jsonLines((await plain(...argv, '--json')).out) as Item[];

/** The command line is another client: what it did is waited for. */
async function until(contestId: string, is: (contest: Contest) => boolean): Promise<Contest> {
  for (;;) {
    try {
      for await (const contest of client.contests.watch(contestId)) if (is(contest)) return contest;
      throw new Error(`contest ${contestId} is over before it is as it should be`);
    } catch (error) {
      if ((error as SluiceError).reason !== 'CONTEST_NOT_FOUND') throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

test('a contest goes from its creation to its winner by commands alone, and its watch shows it', async () => {
  const joinUntil = new Date(Date.now() + 600_000).toISOString();
  const created = await plain(
    'create',
    'cup',
    '--side',
    'red=ada,grace',
    '--side',
    'blue=',
    '--rounds',
    '2',
    '--join-until',
    joinUntil,
    '--title',
    'Cup final',
  );
  expect(created).toMatchObject({ code: EXIT.done, err: '' });
  expect(created.out).toContain('members  2');
  expect((await json('join', 'cup', 'blue', 'linus', 'margaret'))[0]).toMatchObject({ memberCount: 2 });
  await until('cup', ({ sides }) => sides[1]?.memberCount === 2);
  const watching = plain('watch', 'cup', '--json');
  expect((await plain('start', 'cup')).out).toContain('when it is ended');
  expect((await json('score', 'cup', 'ada', '5', '--request-id', 's1'))[0]).toMatchObject({ round: 1, roundPoints: 5, sideRoundPoints: 5, repeated: false });
  expect((await plain('score', 'cup', 'ada', '5', '--request-id', 's1')).out).toContain('yes, answered before');
  expect(await plain('score', 'cup', 'nobody', '5')).toMatchObject({ code: EXIT.refused, err: expect.stringContaining('CONTEST_MEMBER_NOT_FOUND') });
  await until('cup', ({ phase }) => phase === 'RUNNING');
  expect((await json('end', 'cup'))[0]).toMatchObject({
    round: 1,
    sides: [
      { sideId: 'red', points: 5 },
      { sideId: 'blue', points: 0 },
    ],
  });
  await until('cup', ({ round, phase }) => round === 2 && phase === 'RUNNING');
  await plain('score', 'cup', 'linus', '9');
  await plain('end', 'cup', '2');
  await until('cup', ({ phase }) => phase === 'ENDED');

  const seen = jsonLines((await watching).out) as WatchedStandings[];
  expect(seen.at(-1)?.contest).toMatchObject({ phase: 'ENDED', winnerSideIds: ['blue'] });
  expect((await plain('get', 'cup')).out).toContain('winners      blue');
  expect(await json('standings', 'cup')).toMatchObject([
    { rank: 1, accountId: 'linus', points: 9 },
    { rank: 2, accountId: 'ada', points: 5 },
    { rank: 3, points: 0 },
    { rank: 3, points: 0 },
  ]);
  expect((await json('standings', 'cup', '--around', 'ada', '--side', 'red'))[0]).toMatchObject({ rank: 1, accountId: 'ada' });
  const help = (await plain('standings', '--help')).out.replaceAll(/\s+/g, ' ');
  expect(help).toContain('at most so many; 0: all (default 100); around a member 1000 at most (default 11)');
  expect(await json('scores', 'cup', '--oldest-first')).toMatchObject([
    { requestId: 's1', points: 5 },
    { accountId: 'linus', points: 9 },
  ]);
  const reconciliation = await plain('reconciliation', 'cup');
  expect(reconciliation.code).toBe(EXIT.done);
  expect(reconciliation.out.split('\n')[1]).toMatch(/^ +1 +EQUAL +1 +red 5, blue 0 +red 5, blue 0/);
});

test('a gift debits its giver and scores, and the winners are rewarded', async () => {
  for (const accountId of ['giver', 'prizes', 'zoe']) await client.accounts.open({ accountId, unit: 'EUR' });
  for (const accountId of ['giver', 'prizes']) await client.accounts.credit({ accountId, unit: 'EUR', amountMinor: 1_000n });
  const reward = ['--reward', '70', '--fund', 'prizes', '--unit', 'EUR'];
  expect(await plain('create', 'gala', '--side', 'a=zoe', '--side', 'b=yan', ...reward)).toMatchObject({ code: EXIT.done, err: '' });
  expect((await plain('start', 'gala')).out).toContain('STARTING');
  await until('gala', ({ phase }) => phase === 'RUNNING');
  expect((await plain('gift', 'gala', 'zoe', 'giver', '300', 'EUR')).out).toContain('700 EUR');
  await until('gala', ({ scoreCount }) => scoreCount === 1);
  await plain('end', 'gala');
  expect(await until('gala', ({ phase }) => phase === 'ENDED')).toMatchObject({ winnerSideIds: ['a'], sides: [{ points: 300 }, { points: 0 }] });
  for await (const { balanceMinor } of client.accounts.watch('zoe')) if (balanceMinor === 70n) break;
  expect(await json('rewards', 'gala')).toMatchObject([{ accountId: 'zoe', sideId: 'a', amountMinor: '70', state: 'PAID', reason: '' }]);
  expect(await json('rewards', 'gala', '--state', 'RETURNED')).toEqual([]);
  expect((await plain('get', 'gala')).out).toContain('70 held, 70 paid, 0 returned');
  expect(await json('scores', 'gala')).toMatchObject([{ gift: { giverAccountId: 'giver', amountMinor: '300', unit: 'EUR' } }]);
  expect(await plain('create', 'c', '--side', 'a=x', '--side', 'b=y', '--reward', '1')).toMatchObject({ code: EXIT.usage });
});

test('a contest whose fund refuses says why', async () => {
  await plain('create', 'poor', '--side', 'a=x', '--side', 'b=y', '--reward', '70', '--fund', 'no such fund', '--unit', 'EUR');
  await plain('start', 'poor');
  expect(await until('poor', ({ money }) => money?.state === 'REFUSED')).toMatchObject({ phase: 'CREATED', money: { reason: 'ACCOUNT_NOT_FOUND' } });
  expect((await plain('get', 'poor')).out).toContain('70 refused by the fund: ACCOUNT_NOT_FOUND');
  expect((await plain('rewards', 'poor')).code).toBe(EXIT.done);
});

test('a submitted score counts a little later, and is listed as unfinished no more', async () => {
  await plain('create', 'late', '--side', 'a=x', '--side', 'b=y', '--rounds', '2');
  await plain('start', 'late');
  expect((await json('submit', 'late', 'x', '4', '--request-id', 's1'))[0]).toMatchObject({ taskId: 'score/s1', repeated: false });
  expect((await plain('submit', 'late', 'x', '4', '--request-id', 's1')).out).toContain('score/s1');
  await until('late', ({ scoreCount }) => scoreCount === 1);
  expect(await json('unfinished', 'late')).toEqual([]);
  expect(await json('submitted', 'late', '--request-id', 's1')).toMatchObject([{ requestId: 's1', state: 'RECORDED', round: 1, points: 4 }]);
  expect(await json('submitted', 'late', '--state', 'REFUSED')).toEqual([]);
  expect((await plain('unfinished')).code).toBe(EXIT.done);
  expect(await plain('submit', 'none', 'x', '4')).toMatchObject({ code: EXIT.refused, err: expect.stringContaining('CONTEST_NOT_FOUND') });
});

test('contests are listed by phase, and one is cancelled', async () => {
  await plain('create', 'off', '--side', 'a=x', '--side', 'b=y');
  expect((await plain('cancel', 'off', '--note', 'rain')).code).toBe(EXIT.done);
  await until('off', ({ phase }) => phase === 'CANCELLED');
  expect(await json<Contest>('list', '--phase', 'CANCELLED')).toMatchObject([{ contestId: 'off', note: 'rain' }]);
  expect((await plain('list')).out).toContain('off');
});

test.each([
  ['a side that is no side', ['create', 'c', '--side', 'red'], 'SIDE=ACCOUNT'],
  ['a contest without sides', ['create', 'c'], '--side'],
  ['points that are no number', ['score', 'c', 'a', 'many'], 'whole number'],
])('%s is refused', async (_what, argv, message) => {
  expect(await plain(...argv)).toMatchObject({ code: EXIT.usage, err: expect.stringContaining(message) });
});

test('what the log says of contests and what the read store says are the same', async () => {
  expect((await cli(['verify', '--target', served.address])).out).toContain('log = read store');
});
