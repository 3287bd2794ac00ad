/** Accounts over an end of day of their branch, against a whole embedded server: both balances, closing balances, dates of entries, and the comparison with the log. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceClient } from '@sluice/client';
import { configurationFor } from '../serve/configuration';
import { type EmbeddedServer, startEmbedded } from '../serve/embedded';
import { cli, jsonLines } from '../testing/cli-for-tests';

let folder: string;
let server: EmbeddedServer;
let client: SluiceClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-dated-account-'));
  server = await startEmbedded(configurationFor({}, { dataDir: folder, port: 0 }));
  client = new SluiceClient({ target: server.address });
});
afterAll(async () => {
  client.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const ACCOUNTS = Array.from({ length: 12 }, (_, at) => `wallet-${at}`);
const BRANCH = 'north';
const [BEFORE, FRIDAY, MONDAY] = ['2026-01-29', '2026-01-30', '2026-02-02'] as const;

const json = async (...argv: string[]): Promise<unknown[]> => jsonLines((await cli([...argv, '--target', server.address, '--json'])).out);
const closedWith = async (accountId: string, businessDate: string): Promise<bigint> =>
  (await client.accounts.balanceAt(accountId, { businessDate })).balanceMinor;

test('an account closes its dates, and says what it closed them with', async () => {
  for (const accountId of ACCOUNTS) {
    await client.accounts.open({ accountId, unit: 'EUR', branchId: BRANCH });
    await client.accounts.credit({ accountId, amountMinor: 100n, unit: 'EUR' });
  }
  await client.businessDays.register({ branchId: BRANCH, settings: { timeZone: 'UTC', restDays: [6, 7] }, onlineDate: FRIDAY });
  await expect(client.accounts.get('wallet-0')).resolves.toMatchObject({ lastDayDate: BEFORE, lastDayBalanceMinor: 100n, balanceDate: '' });
  await client.accounts.debit({ accountId: 'wallet-0', amountMinor: 30n, unit: 'EUR' });
  await client.accounts.debit({ accountId: 'wallet-1', amountMinor: 5n, unit: 'EUR' });
  await expect(closedWith('wallet-0', FRIDAY)).rejects.toMatchObject({ reason: 'DATE_NOT_CLOSED' });

  await client.businessDays.cut(BRANCH);
  await client.accounts.credit({ accountId: 'wallet-0', amountMinor: 7n, unit: 'EUR' });
  await client.businessDays.end(BRANCH, { untilDate: FRIDAY });
  for await (const { state } of client.businessDays.watchRun(`${BRANCH}/${FRIDAY}`)) if (state === 'ENDED') break;
  await client.accounts.open({ accountId: 'late', unit: 'EUR', branchId: BRANCH });
  // Everything that the run did is projected when the newest commits of every partition are.
  for (const accountId of ACCOUNTS) await client.accounts.credit({ accountId, amountMinor: 1n, unit: 'EUR' });

  await expect(client.accounts.get('wallet-0')).resolves.toMatchObject({
    balanceMinor: 78n,
    lastDayDate: FRIDAY,
    lastDayBalanceMinor: 70n,
    balanceDate: MONDAY,
  });
  expect(
    await Promise.all([closedWith('wallet-0', BEFORE), closedWith('wallet-0', FRIDAY), closedWith('wallet-1', FRIDAY), closedWith('wallet-2', FRIDAY)]),
  ).toEqual([100n, 70n, 95n, 100n]);
  await expect(closedWith('late', FRIDAY)).rejects.toMatchObject({ reason: 'ACCOUNT_NOT_OPEN_THEN' });
  const dates: string[] = [];
  for await (const { businessDate } of client.accounts.entries('wallet-0', { order: 'OLDEST_FIRST' })) dates.push(businessDate);
  expect(dates).toEqual(['', FRIDAY, MONDAY, MONDAY]);

  await expect(json('account', 'balance-at', 'wallet-1', '--business-date', FRIDAY)).resolves.toMatchObject([{ balanceMinor: '95' }]);
  await expect(json('verify')).resolves.toMatchObject([{ finished: true, equal: true, differences: [] }]);
});
