import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readBankFile } from './bank-file';
import { surveyBank } from './bank-survey';
import type { BankTransaction } from './bank-transaction';
import { MalformedFileError } from './malformed-file-error';

const HEADER = 'date,transaction_id,account_id,branch_id,amount_minor,balance_after_minor,kind';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-bank-file-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function fileOf(content: string | Buffer): Promise<string> {
  const file = join(folder, 'bank.csv');
  await writeFile(file, content);
  return file;
}

async function rowsOf(content: string | Buffer): Promise<BankTransaction[]> {
  const rows: BankTransaction[] = [];
  for await (const row of readBankFile(await fileOf(content))) rows.push(row);
  return rows;
}

const TWO_ROWS = `${HEADER}\n1993-01-01,1,576,55,90000,90000,VKLAD\n1993-01-02,2,576,55,-100, 0,\n`.replace(' 0,\n', '89900, \n');

test.each([
  ['plain', TWO_ROWS],
  ['gzipped', gzipSync(TWO_ROWS)],
  ['with a byte order mark and Windows line ends', `\ufeff${TWO_ROWS.replaceAll('\n', '\r\n')}`],
])('rows are read: %s', async (_how, content) => {
  expect(await rowsOf(content)).toEqual([
    { line: 2, date: '1993-01-01', transactionId: '1', accountId: '576', branchId: '55', amountMinor: 90000n, balanceAfterMinor: 90000n, kind: 'VKLAD' },
    { line: 3, date: '1993-01-02', transactionId: '2', accountId: '576', branchId: '55', amountMinor: -100n, balanceAfterMinor: 89900n, kind: ' ' },
  ]);
});

const GOOD = '1993-01-01,1,576,55,1,1,VKLAD';
test.each`
  problem               | content                                                     | message
  ${'empty'}            | ${''}                                                       | ${/line 1: there are no transactions/}
  ${'header only'}      | ${`${HEADER}\n`}                                            | ${/line 1: there are no transactions/}
  ${'column missing'}   | ${'date,account_id\n1993-01-01,1\n'}                        | ${/line 1: column transaction_id, branch_id, amount_minor/}
  ${'fields missing'}   | ${`${HEADER}\n${GOOD}\n1993-01-02,2,576\n`}                 | ${/line 3: .*columns/i}
  ${'date'}             | ${`${HEADER}\n${GOOD}\n93-1-2,2,576,55,1,2,x\n`}            | ${/line 3: date is "93-1-2"/}
  ${'amount'}           | ${`${HEADER}\n${GOOD}\n1993-01-02,2,576,55,1.5,2,x`}        | ${/line 3: amount_minor is "1.5"/}
  ${'amount too large'} | ${`${HEADER}\n1993-01-02,2,576,55,9223372036854775808,2,x`} | ${/line 2: amount_minor/}
  ${'balance'}          | ${`${HEADER}\n1993-01-02,2,576,55,1,,x`}                    | ${/line 2: balance_after_minor is ""/}
  ${'account'}          | ${`${HEADER}\n1993-01-02,2,,55,1,1,x`}                      | ${/line 2: account_id is ""/}
  ${'open quote'}       | ${`${HEADER}\n${GOOD}\n1993-01-02,2,576,55,1,2,"x`}         | ${/line 3: .*quote/i}
  ${'compression cut'}  | ${gzipSync(TWO_ROWS).subarray(0, 60)}                       | ${/the compressed data is damaged/}
`('a malformed file is refused with its line: $problem', async ({ content, message }: { content: string | Buffer; message: RegExp }) => {
  const reading = rowsOf(content);
  await expect(reading).rejects.toThrow(message);
  await expect(reading).rejects.toBeInstanceOf(MalformedFileError);
});

describe('the first pass', () => {
  const survey = async (...rows: string[]) => {
    const file = await fileOf([HEADER, ...rows].join('\n'));
    return surveyBank(file, readBankFile(file));
  };

  test('finds openings, the deepest overdraft, counts and final balances', async () => {
    const { accounts, rows, postings } = await survey(
      '1993-01-01,1,a,1,100,100,x',
      '1993-01-01,2,b,2,-50,150,x',
      '1993-01-02,3,a,1,-130,-30,x',
      '1993-01-03,4,a,1,0,-30,x',
      '1993-01-03,5,a,1,40,10,x',
    );
    expect(rows).toBe(5);
    expect(postings).toBe(4);
    expect([...accounts.values()]).toEqual([
      { accountId: 'a', branchId: '1', openingMinor: 0n, overdraftMinor: 30n, rows: 4, postings: 3, finalBalanceMinor: 10n },
      { accountId: 'b', branchId: '2', openingMinor: 200n, overdraftMinor: 0n, rows: 1, postings: 1, finalBalanceMinor: 150n },
    ]);
  });

  test.each`
    problem                  | rows                                                    | message
    ${'a transaction twice'} | ${['1993-01-01,1,a,1,1,1,x', '1993-01-01,1,a,1,1,2,x']} | ${/line 3: transaction 1 of account a is on line 2 already/}
    ${'a change of branch'}  | ${['1993-01-01,1,a,1,1,1,x', '1993-01-01,2,a,2,1,2,x']} | ${/line 3: account a was in branch 1 before and is in 2 here/}
  `('refuses $problem', async ({ rows, message }: { rows: string[]; message: RegExp }) => {
    await expect(survey(...rows)).rejects.toThrow(message);
  });
});
