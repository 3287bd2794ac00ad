/** Real and made files through gRPC into an embedded server, every row compared with what is written down in them. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { haveServer } from '@sluice/infra';
import { EXIT } from '../exit-code';
import { cli } from '../testing/cli-for-tests';

const TEST_DATA = process.env['SLUICE_TEST_DATA'] ?? join(__dirname, '..', '..', '..', '..', '..', 'shared', 'data');
const BANK_1993 = join(TEST_DATA, 'bank-1993.csv.gz');
const REPLAY_TIMEOUT_MS = 600_000;

// Where it must not be missing the tests run, and fail.
const describeBank = existsSync(BANK_1993) || process.env['CI'] === 'true' ? describe : describe.skip;

const hasServers = haveServer('nats') && haveServer('mongodb');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-replay-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const lastLine = (text: string): string | undefined => text.trimEnd().split('\n').at(-1);

describeBank(`the bank’s 1993 (${BANK_1993})`, () => {
  const data = (): string => join(folder, 'data');

  test(
    'every posting, every balance, every entry; a second run changes nothing; the log and the read store agree',
    async () => {
      const first = await cli(['replay', 'bank', BANK_1993, '--data', data()]);
      expect(lastLine(first.out)).toBe('replayed 28205 postings, 1139 accounts, 0 mismatches');
      expect(first.code).toBe(EXIT.done);
      const second = await cli(['replay', 'bank', BANK_1993, '--data', data()]);
      expect(lastLine(second.out)).toBe('nothing changed: 28205 repeats');
      expect(second.code).toBe(EXIT.done);
      expect(await cli(['log', 'verify', '--data', data()])).toMatchObject({ code: EXIT.done });
    },
    REPLAY_TIMEOUT_MS,
  );

  test(
    'a row that was tampered with is named',
    async () => {
      const lines = gunzipSync(await readFile(BANK_1993))
        .toString('utf8')
        .split('\n');
      const fields = (lines[4_711] as string).split(',');
      fields[5] = String(Number(fields[5]) + 1);
      lines[4_711] = fields.join(',');
      const tampered = join(folder, 'bank-1993.csv');
      await writeFile(tampered, lines.join('\n'));
      const { code, out } = await cli(['replay', 'bank', tampered, '--data', data()]);
      expect(code).toBe(EXIT.refused);
      expect(out).toContain(`mismatch: row 4711 (line 4712): transaction ${fields[1]} of account ${fields[2]}`);
      expect(lastLine(out)).toMatch(/^replayed 28205 postings, 1139 accounts, [12] mismatches$/);
    },
    REPLAY_TIMEOUT_MS,
  );
});

test('a malformed file is refused with its line', async () => {
  const file = join(folder, 'broken.csv');
  await writeFile(file, 'date,transaction_id,account_id,branch_id,amount_minor,balance_after_minor,kind\n1993-01-01,1,576,55,x,1,VKLAD\n');
  const { code, err } = await cli(['replay', 'bank', file, '--data', join(folder, 'unused')]);
  expect(code).toBe(EXIT.refused);
  expect(lastLine(err)).toBe(`sluice: ${file}, line 2: amount_minor is "x", not a whole number of minor units`);
});

describe('tasks', () => {
  /** At a scale of 1000: jobs that run for 10 ms and may take 10 s, for a minute and may take 1 s, and for as long as they may. */
  const KINDS = [
    { jobs: 30, run: 10, requested: 200_000 },
    { jobs: 30, run: 60_000, requested: 20_000 },
    { jobs: 4, run: 1_000, requested: 20_000 },
  ];
  const SPAN_S = 4_000;
  const EXPECTED = '64 tasks: 30 succeeded, 30 timed out, 4 near the limit; 0 mismatches, 0 lost, 0 doubled';
  let file: string;

  beforeAll(async () => {
    file = join(folder, 'jobs.csv');
    const jobs = KINDS.flatMap(({ jobs: count, run, requested }) =>
      Array.from({ length: count }, (_, at) => [Math.round((at * SPAN_S) / count), run, requested]),
    );
    const rows = jobs.map(([submitted, run, requested], at) => [at + 1, submitted, run, requested, at % 11].join());
    await writeFile(file, ['task_id,submitted_s,run_s,requested_s,site', ...rows].join('\n'));
  });

  test.each([
    ['on an embedded server', []],
    ['while a worker and the server are killed', ['--chaos']],
  ])('every job ends as the file says: %s', async (_how, options) => {
    const { code, out } = await cli(['replay', 'tasks', file, '--data', join(folder, `tasks${options.join('')}`), ...options]);
    expect(lastLine(out)).toBe(EXPECTED);
    expect(code).toBe(EXIT.done);
  });

  test.each([
    ['a server of others that is to be killed', ['--chaos', '--target', '127.0.0.1:1'], EXIT.usage, '--chaos kills the server'],
    ['a scale of 0', ['--scale', '0'], EXIT.usage, '1 or more'],
  ])('%s is refused', async (_what, options, exitCode, message) => {
    const { code, err } = await cli(['replay', 'tasks', file, ...options]);
    expect(err).toContain(message);
    expect(code).toBe(exitCode);
  });

  test('a malformed file is refused with its line', async () => {
    const malformed = join(folder, 'malformed.csv');
    await writeFile(malformed, 'task_id,submitted_s,run_s,requested_s,site\n1,0,83,1200,1\n2,3,-1,1200,1\n');
    const { code, err } = await cli(['replay', 'tasks', malformed, '--data', join(folder, 'unused')]);
    expect(code).toBe(EXIT.refused);
    expect(lastLine(err)).toBe(`sluice: ${malformed}, line 3: run_s is "-1", not a whole number`);
  });
});

describe('contests', () => {
  let matches: string;
  let goals: string;

  beforeAll(async () => {
    matches = join(folder, 'matches.csv');
    goals = join(folder, 'goals.csv');
    const played = ['m1,A,B,2,1,', 'm2,A,C,1,1,C', 'm3,B,C,1,1,', 'm4,C,B,1,0,B'];
    const scored = ['m1,0,12,A,Ann', 'm1,1,50,B,Bea', 'm1,2,95,A,Ann', 'm2,0,45,A,Ann', 'm2,1,46,C,Cleo', 'm3,0,3,B,Bea', 'm3,1,90,C,Bea', 'm4,0,1,C,Cleo'];
    await writeFile(matches, ['match_id,home,away,home_score,away_score,shootout_winner', ...played].join('\n'));
    await writeFile(goals, ['match_id,n,minute,team,scorer', ...scored].join('\n'));
  });

  test('every match ends as the file says; a second run gets the first answers again', async () => {
    const data = join(folder, 'contests');
    const first = await cli(['replay', 'contests', matches, goals, '--data', data]);
    expect(first.out).toBe('4 contests, 8 scores, 0 mismatches\n');
    expect(first.code).toBe(EXIT.done);
    const second = await cli(['replay', 'contests', matches, goals, '--data', data]);
    expect(second.out).toBe('9 of the scores were there already, from an earlier run\n4 contests, 8 scores, 0 mismatches\n');
  });

  const ways: [string, string[]][] = [['embedded', []]];
  if (hasServers) ways.push(['as processes of their own', ['--target', 'distributed']]);

  test.each(ways)('totals that are spoilt in the read store are reported and repaired, each of them: %s', async (_how, options) => {
    const data = join(folder, `tampered${options.join('')}`);
    const replayed = ['replay', 'contests', matches, goals, '--data', data, ...options, '--tamper'];
    const first = await cli(replayed);
    expect(first.out).toBe('4 contests, 8 scores, 4 totals spoilt, 4 repaired, 0 mismatches\n');
    expect(first.code).toBe(EXIT.done);
    // What was over is not spoilt again.
    const second = await cli(replayed);
    expect(lastLine(second.out)).toBe('4 contests, 8 scores, 0 totals spoilt, 0 repaired, 0 mismatches');
    if (options.length === 0) expect(await cli(['log', 'verify', '--data', data])).toMatchObject({ code: EXIT.done });
  });

  test('totals that were spoilt by an earlier run are mismatches for one that spoils nothing', async () => {
    const { code, out } = await cli(['replay', 'contests', matches, goals, '--data', join(folder, 'tampered')]);
    expect(code).toBe(EXIT.refused);
    expect(out).toContain('mismatch: matches/m1: reconciliation of round 1: REPLACED, the file says EQUAL');
    expect(lastLine(out)).toBe('4 contests, 8 scores, 4 mismatches');
  });

  test('the read store of a server of others is not spoilt', async () => {
    const { code, err } = await cli(['replay', 'contests', matches, goals, '--tamper', '--target', '127.0.0.1:1']);
    expect(err).toContain('--tamper changes the read store: it takes --target distributed or --data FOLDER, not a server of others');
    expect(code).toBe(EXIT.usage);
  });

  test('a match that ended otherwise is named', async () => {
    const tampered = join(folder, 'tampered.csv');
    await writeFile(tampered, (await readFile(matches, 'utf8')).replace('m1,A,B,2,1,', 'm1,A,B,2,3,'));
    const { code, out } = await cli(['replay', 'contests', tampered, goals, '--data', join(folder, 'contests')]);
    expect(code).toBe(EXIT.refused);
    expect(out).toContain('mismatch: tampered/m1: winners: A, the file says B');
    expect(out).toContain('mismatch: tampered/A/Ann: balance 100, by the files 0');
    expect(lastLine(out)).toBe('4 contests, 8 scores, 10 mismatches');
  });
});

describe('reservations', () => {
  const HEADER = 'reservation_number,booked_on,arrival_on,reserved_room_type,final_status,final_status_on';
  /** Of every ten: eight come, one cancels, one never comes. */
  const BOOKINGS = 60;
  let file: string;

  beforeAll(async () => {
    file = join(folder, 'hotel.csv');
    const day = (at: number): string => new Date(Date.UTC(2015, 0, 1 + at)).toISOString().slice(0, 10);
    const rows = Array.from({ length: BOOKINGS }, (_, at) => {
      const [status, ended] = ({ 3: ['Canceled', at + 4], 7: ['No-Show', at + 9] } as const)[at % 10] ?? ['Check-Out', at + 11];
      return [`H${at}`, day(at), day(at + 9), 'AB'[at % 2], status, day(Number(ended))].join();
    });
    await writeFile(file, [HEADER, ...rows].join('\n'));
  });

  const ways: [string, string[]][] = [['embedded', []]];
  if (hasServers) ways.push(['as processes of their own', ['--target', 'distributed']]);

  test.each(ways)('every booking ends as the file says: %s', async (_how, options) => {
    const { code, out } = await cli(['replay', 'reservations', file, '--data', join(folder, `reservations${options.join('')}`), ...options]);
    expect(out.split('\n')).toEqual([
      '48 completed, 6 cancelled, 6 expired; 2 resources have exactly the places taken that were kept',
      // Not 24: behind the last No-Show every request has to name its number.
      '48 associated: 23 by the identity alone, 4 sent before their reserve',
      '60 reservations, 0 mismatches, 0 lost',
      '',
    ]);
    expect(code).toBe(EXIT.done);
  });

  test('a malformed file is refused with its line', async () => {
    const malformed = join(folder, 'malformed-hotel.csv');
    await writeFile(malformed, `${HEADER}\nH1,2015-07-01,2015-07-01,A,Left,2015-07-01\n`);
    const { code, err } = await cli(['replay', 'reservations', malformed, '--data', join(folder, 'unused')]);
    expect(code).toBe(EXIT.refused);
    expect(lastLine(err)).toBe(`sluice: ${malformed}, line 2: final_status is "Left", not Check-Out, Canceled, No-Show`);
  });
});

describe('days', () => {
  const HEADER = 'date,transaction_id,account_id,branch_id,amount_minor,balance_after_minor,kind';
  const DAYS = 12;
  const BRANCHES = 3;
  let file: string;
  let accounts: number;

  beforeAll(async () => {
    file = join(folder, 'days.csv');
    const balances = new Map<string, number>();
    const rows = Array.from({ length: DAYS * 10 }, (_, at) => {
      const date = new Date(Date.UTC(1993, 1, 24 + Math.floor(at / 10))).toISOString().slice(0, 10);
      // Some accounts rest for days, and some go below zero.
      const account = `a${(at * 7) % (at % 3 === 0 ? 9 : 4)}`;
      const amount = at % 4 === 1 ? -(at + 40) : at + 1;
      const balance = (balances.get(account) ?? 25) + amount;
      balances.set(account, balance);
      return [date, at + 1, account, Number(account.slice(1)) % BRANCHES, amount, balance, 'VKLAD'].join();
    });
    await writeFile(file, [HEADER, ...rows].join('\n'));
    accounts = balances.size;
  });

  const ways: [string, string[]][] = [
    ['on an embedded server', []],
    ['while the server is killed in the middle of ends of day', ['--chaos']],
  ];
  if (hasServers) ways.push(['as processes of their own', ['--target', 'distributed', '--limit', '4']]);

  test.each(ways)(
    'every account closes every day as the file says: %s',
    async (_how, options) => {
      const { code, out } = await cli(['replay', 'days', file, '--data', join(folder, `days${options.join('')}`), ...options]);
      const days = options.includes('--limit') ? 4 : DAYS;
      expect(out.split('\n').filter((line) => line.startsWith('mismatch'))).toEqual([]);
      expect(lastLine(out)).toBe(`${days} days, ${BRANCHES} branches, ${accounts} accounts, 0 mismatches`);
      if (options.includes('--chaos')) expect(out).toContain('the server was killed: 3 at CUT, 3 at ROLL, 3 at INTEREST, 3 at BEGIN');
      expect(code).toBe(EXIT.done);
    },
    REPLAY_TIMEOUT_MS,
  );

  test('a second run gets the first answers again; the log and the read store agree', async () => {
    const data = join(folder, 'days');
    const { code, out } = await cli(['replay', 'days', file, '--data', data]);
    expect(out).toContain(`${DAYS * 10} of the postings were there already, from an earlier run`);
    expect(code).toBe(EXIT.done);
    expect(await cli(['log', 'verify', '--data', data])).toMatchObject({ code: EXIT.done });
  });

  test('a balance that is not the file’s is named', async () => {
    const tampered = join(folder, 'tampered-days.csv');
    const text = await readFile(file, 'utf8');
    const row = text.split('\n').at(-1) as string;
    const [date, , account, branch, , balance] = row.split(',') as [string, string, string, string, string, string];
    await writeFile(tampered, text.replace(row, row.replace(`,${balance},`, `,${Number(balance) + 1},`)));
    const { code, out } = await cli(['replay', 'days', tampered, '--data', join(folder, 'tampered-days')]);
    expect(out).toContain(`mismatch: ${date}, branch ${branch}: account ${account} closes with ${balance}, the file says ${Number(balance) + 1}`);
    expect(code).toBe(EXIT.refused);
  });
});
