import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceClient } from '@sluice/client';
import { replayDays, summarizeDayReplay, type DayReplayOptions } from './index';
import { type PlantedFault, startDaysInMemory } from './testing/days-in-memory';
import type { LedgerInMemory } from './testing/ledger-in-memory';

const TEST_DATA = process.env['SLUICE_TEST_DATA'] ?? join(__dirname, '..', '..', '..', '..', 'shared', 'data');
const BANK_1993 = join(TEST_DATA, 'bank-1993.csv.gz');
const HEADER = 'date,transaction_id,account_id,branch_id,amount_minor,balance_after_minor,kind';
const SILENT = { step: () => undefined, progress: () => undefined, stepDone: () => undefined };

const ROWS = [
  '1993-02-27,1,a,55,100,300,VKLAD',
  '1993-02-27,2,b,16,70,70,VKLAD',
  '1993-02-27,3,a,55,-400,-100, ',
  '1993-03-01,4,b,16,0,70,UROK',
  '1993-03-01,5,b,16,-70,0,VYBER',
  '1993-03-02,6,c,55,5,5,UROK',
];

let folder: string;
let server: LedgerInMemory;
let client: SluiceClient;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-day-replay-'));
  await start();
});
afterEach(async () => {
  client.close();
  server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function start(fault?: PlantedFault): Promise<void> {
  server = await startDaysInMemory(fault);
  client = new SluiceClient({ target: server.target });
}

/** The same with a server that does something wrong. */
async function startWith(fault: PlantedFault): Promise<void> {
  client.close();
  server.stop();
  await start(fault);
}

async function replay(options: Partial<DayReplayOptions> = {}) {
  const file = join(folder, 'bank.csv');
  if (options.file === undefined) await writeFile(file, `${[HEADER, ...ROWS].join('\n')}\n`);
  const report = await replayDays({ file, limit: Number.POSITIVE_INFINITY, client, observer: SILENT, ...options });
  return { report, ...summarizeDayReplay(report) };
}

test('every day is closed in every branch and compared, also one without transactions', async () => {
  const { report, lines, exitCode } = await replay();
  expect(lines).toContain('4 days, 2 branches, 3 accounts, 0 mismatches');
  expect(exitCode).toBe(0);
  expect(report).toMatchObject({ postings: 5, repeats: 0, transfers: 16, closings: 12, entries: 6, proofs: 5, refused: 0, again: 0 });
  const dates = server.accounts.get('bank-days/a')?.entries.map(({ requestId, businessDate, initiatedDate }) => [requestId, businessDate, initiatedDate]);
  expect(dates).toEqual([
    ['opening-balance', '', ''],
    ['transaction-1', '1993-02-27', ''],
    ['transaction-3', '1993-02-27', ''],
  ]);
});

test('only the first days are replayed, and a later run goes on from there', async () => {
  expect((await replay({ limit: 2 })).lines.at(-1)).toBe('2 days, 2 branches, 3 accounts, 0 mismatches');
  const { report, lines } = await replay();
  expect(lines).toContain('3 of the postings were there already, from an earlier run');
  expect(report).toMatchObject({ days: 4, postings: 5, mismatches: [] });
  expect((await replay({ limit: 1 })).lines.at(-1)).toBe('1 days, 2 branches, 3 accounts, 0 mismatches');
});

test('a closing balance that is not the bank’s is named, and the proof of its day with it', async () => {
  await startWith({ closing: (accountId, date) => (accountId === 'bank-days/b' && date === '1993-03-01' ? 1n : 0n) });
  const { lines, exitCode } = await replay();
  expect(exitCode).toBe(1);
  expect(lines).toContain('mismatch: 1993-03-01, branch 16: account b closes with 1, the file says 0');
  expect(lines.at(-1)).toBe('4 days, 2 branches, 3 accounts, 1 mismatches');
});

test('a courier that closes with something else than its transfers say is named', async () => {
  await startWith({ closing: (accountId, date) => (accountId === 'bank-days/branch-16/courier' && date === '1993-02-28' ? 1n : 0n) });
  const { lines } = await replay();
  expect(lines.filter((line) => line.startsWith('mismatch'))).toEqual([
    expect.stringMatching(/^mismatch: courier of 16: closes 1993-02-28 with 100000\d, by its entries (1000000|999999|1000001)$/),
  ]);
});

test('a refused posting is a mismatch', async () => {
  await replay({ limit: 1 });
  const account = server.accounts.get('bank-days/b');
  if (account !== undefined) account.balanceMinor = 0n;
  const { report } = await replay();
  expect(report.refused).toBe(1);
  expect(report.mismatches[0]).toBe('row 5 (line 6): transaction 5 of account b on 1993-03-01: refused, INSUFFICIENT_FUNDS: INSUFFICIENT_FUNDS');
});

test.each(['cutDay', 'runEndOfDay'] as const)('%s is called again while the server is away, with the same request id', async (method) => {
  await startWith({ away: { method, times: 3 } });
  const impatient = new SluiceClient({ target: server.target, retry: { budget: 0 } });
  const { report, lines } = await replay({ client: impatient });
  impatient.close();
  expect(lines).toContain('4 days, 2 branches, 3 accounts, 0 mismatches');
  expect(report.again).toBe(3);
});

test('with chaos the server is killed once a day, at each step in turn', async () => {
  const told: string[] = [];
  const chaos = { kill: async () => void told.push('kill'), start: async () => void told.push('start') };
  const { report, lines } = await replay({ chaos });
  // The runs of this server tell no steps, but that they have ended.
  expect(report.kills).toEqual({ CUT: 1, BEGIN: 1 });
  expect(told).toEqual(['kill', 'start', 'kill', 'start']);
  expect(lines).toContain('the server was killed: 1 at CUT, 1 at BEGIN');
});

// Where it must not be missing the test runs, and fails.
const bankTest = existsSync(BANK_1993) || process.env['CI'] === 'true' ? test : test.skip;
bankTest(`the first days of the bank’s 1993 (${existsSync(BANK_1993) ? 'all branches' : `skipped: ${BANK_1993} is not there`})`, async () => {
  expect((await replay({ file: BANK_1993, limit: 3 })).lines.at(-1)).toBe('3 days, 77 branches, 1139 accounts, 0 mismatches');
});
