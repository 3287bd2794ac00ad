import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceClient } from '@sluice/client';
import { replayBank, summarizeReplay } from './index';
import { type LedgerInMemory, startLedgerInMemory } from './testing/ledger-in-memory';

const TEST_DATA = process.env['SLUICE_TEST_DATA'] ?? join(__dirname, '..', '..', '..', '..', 'shared', 'data');
const BANK_1993 = join(TEST_DATA, 'bank-1993.csv.gz');
const HEADER = 'date,transaction_id,account_id,branch_id,amount_minor,balance_after_minor,kind';

let folder: string;
let ledger: LedgerInMemory;
let client: SluiceClient;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-replay-'));
  ledger = await startLedgerInMemory();
  client = new SluiceClient({ target: ledger.target });
});
afterEach(async () => {
  client.close();
  ledger.stop();
  await rm(folder, { recursive: true, force: true });
});

async function replay(...rows: string[]) {
  const file = join(folder, 'bank.csv');
  await writeFile(file, `${[HEADER, ...rows].join('\n')}\n`);
  return summarizeReplay(await replayBank({ file, client }));
}

const ROWS = [
  '1993-01-01,1,a,55,100,300,VKLAD',
  '1993-01-01,2,b,16,70,70,VKLAD',
  '1993-01-02,3,a,55,-400,-100, ',
  '1993-01-03,4,b,16,0,70,UROK',
  '1993-01-03,5,b,16,-70,0,VYBER',
];

test('every row is posted in its order and compared', async () => {
  expect(await replay(...ROWS)).toEqual({
    lines: ['1 of the rows have amount 0: compared, there is nothing to post', 'replayed 5 postings, 2 accounts, 0 mismatches'],
    exitCode: 0,
  });
  const account = ledger.accounts.get('bank/a');
  expect(account).toMatchObject({ branchId: '55', overdraftMinor: 100n, balanceMinor: -100n });
  expect(
    account?.entries.map(({ requestId, amountMinor, metadata, initiatedDate, channel }) => [requestId, amountMinor, metadata['kind'], initiatedDate, channel]),
  ).toEqual([
    ['opening-balance', 200n, undefined, '', 'replay'],
    ['transaction-1', 100n, 'VKLAD', '1993-01-01', 'replay'],
    ['transaction-3', 400n, ' ', '1993-01-02', 'replay'],
  ]);
});

test('a second run changes nothing and says so', async () => {
  await replay(...ROWS.slice(0, 3));
  expect(await replay(...ROWS.slice(0, 3))).toEqual({ lines: ['nothing changed: 3 repeats'], exitCode: 0 });
});

test('a run over a longer file goes on where the first one ended', async () => {
  await replay(...ROWS.slice(0, 3));
  expect(await replay(...ROWS.slice(0, 3), '1993-01-04,6,a,55,-100,-200,VYBER')).toEqual({
    lines: ['3 of the postings were there already, from an earlier run', 'replayed 4 postings, 2 accounts, 0 mismatches'],
    exitCode: 0,
  });
});

test('a balance that is not the bank’s names its row', async () => {
  const { lines, exitCode } = await replay('1993-01-01,1,a,55,100,100,x', '1993-01-02,2,a,55,50,151,x', '1993-01-03,3,a,55,-10,140,x');
  expect(exitCode).toBe(1);
  expect(lines).toEqual([
    'mismatch: row 2 (line 3): transaction 2 of account a on 1993-01-02: balance after it 150, the bank says 151',
    'replayed 3 postings, 1 accounts, 1 mismatches',
  ]);
});

test('an entry that nobody’s file has is found in the read store', async () => {
  await replay('1993-01-01,1,a,55,100,100,x');
  await client.accounts.credit({ accountId: 'bank/a', unit: 'CZK', amountMinor: 5n });
  const { lines, exitCode } = await replay('1993-01-01,1,a,55,100,100,x');
  expect(exitCode).toBe(1);
  expect(lines).toContain('mismatch: account a: balance 105 in the read store, the bank says 100');
  expect(lines).toContain('mismatch: account a: 2 entries in the read store, 1 expected');
});

test('a server that goes away ends the replay with an error, not with mismatches', async () => {
  const file = join(folder, 'bank.csv');
  await writeFile(file, `${[HEADER, ...ROWS].join('\n')}\n`);
  ledger.stop();
  const impatient = new SluiceClient({ target: ledger.target, retry: { budget: 0 } });
  await expect(replayBank({ file, client: impatient })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  impatient.close();
});

// Where it must not be missing the test runs, and fails.
const bankTest = existsSync(BANK_1993) || process.env['CI'] === 'true' ? test : test.skip;
bankTest(`the bank’s 1993 (${existsSync(BANK_1993) ? 'every row' : `skipped: ${BANK_1993} is not there`})`, async () => {
  expect(summarizeReplay(await replayBank({ file: BANK_1993, client }))).toEqual({
    lines: ['replayed 28205 postings, 1139 accounts, 0 mismatches'],
    exitCode: 0,
  });
  expect(summarizeReplay(await replayBank({ file: BANK_1993, client }))).toEqual({ lines: ['nothing changed: 28205 repeats'], exitCode: 0 });
});
