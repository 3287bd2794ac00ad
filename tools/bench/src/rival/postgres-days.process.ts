/**
 * A branch on PostgreSQL: 64 clients post to random accounts, a transaction per posting, while the end of day is a statement per step. Each statement locks the rows that it changes until
 * it commits.
 */
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { answerOrders } from '../machine/orders';
import type { PostgresDayAnswer, PostgresDayOrder } from './postgres-days-order';

const CLIENTS = 64;
const POST = { name: 'post', text: 'UPDATE sluice_bench.day_accounts SET balance_minor = balance_minor + 1 WHERE account_number = $1 RETURNING balance_minor' };
const RECORD = {
  name: 'record',
  text: 'INSERT INTO sluice_bench.day_entries (account_number, request_id, amount_minor, balance_after_minor) VALUES ($1, $2, 1, $3)',
};
/** Roll, interest, accounting. */
const STEPS = [
  'UPDATE sluice_bench.day_accounts SET last_day_balance_minor = balance_minor, last_day_date = last_day_date + 1',
  `UPDATE sluice_bench.day_accounts SET balance_minor = balance_minor + last_day_balance_minor / 10000,
     last_day_balance_minor = last_day_balance_minor + last_day_balance_minor / 10000`,
  'INSERT INTO sluice_bench.day_totals SELECT last_day_date, count(*), sum(last_day_balance_minor) FROM sluice_bench.day_accounts GROUP BY last_day_date',
];

answerOrders<PostgresDayOrder, PostgresDayAnswer>(async ({ url, accounts, warmUpMs, windowMs }) => {
  const [first, ...others] = await Promise.all(Array.from({ length: CLIENTS + 1 }, () => connected(url)));
  const batch = first as Client;
  try {
    await makeTables(batch, accounts);
    await postUntil(others, accounts, pause(warmUpMs));
    const without = await postUntil(others, accounts, pause(windowMs));
    let endOfDayMs = 0;
    const ending = endDay(batch).then((ms) => {
      endOfDayMs = ms;
    });
    const cut = await postUntil(others, accounts, Promise.all([ending, pause(windowMs)]));
    return { without, cut, endOfDayMs };
  } finally {
    await batch.query('DROP SCHEMA IF EXISTS sluice_bench CASCADE');
    await Promise.all([batch, ...others].map((client) => client.end()));
  }
});

async function connected(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
}

async function makeTables(client: Client, accounts: number): Promise<void> {
  await client.query(`
    DROP SCHEMA IF EXISTS sluice_bench CASCADE;
    CREATE SCHEMA sluice_bench;
    CREATE TABLE sluice_bench.day_accounts (account_number bigint PRIMARY KEY, balance_minor bigint NOT NULL, last_day_balance_minor bigint NOT NULL, last_day_date date NOT NULL);
    CREATE TABLE sluice_bench.day_entries (entry_number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account_number bigint NOT NULL, request_id text NOT NULL UNIQUE,
      amount_minor bigint NOT NULL, balance_after_minor bigint NOT NULL, committed_at timestamptz NOT NULL DEFAULT now());
    CREATE TABLE sluice_bench.day_totals (date date NOT NULL, accounts bigint NOT NULL, closing_minor numeric NOT NULL);
    INSERT INTO sluice_bench.day_accounts SELECT number, 1000000, 0, DATE '2023-12-31' FROM generate_series(0, ${accounts - 1}) AS number`);
}

async function endDay(client: Client): Promise<number> {
  const beganMs = performance.now();
  for (const step of STEPS) await client.query(step);
  return performance.now() - beganMs;
}

/** Every client posts again as soon as it is answered. */
async function postUntil(clients: readonly Client[], accounts: number, until: Promise<unknown>): Promise<PostgresDayAnswer['cut']> {
  let isOver = false;
  let accepted = 0;
  let longestMs = 0;
  const beganMs = performance.now();
  const over = until.finally(() => {
    isOver = true;
  });
  const post = async (client: Client): Promise<void> => {
    while (!isOver) {
      const sentMs = performance.now();
      await postOne(client, Math.floor(Math.random() * accounts));
      longestMs = Math.max(longestMs, performance.now() - sentMs);
      accepted += 1;
    }
  };
  await Promise.all([over, ...clients.map(post)]);
  return { accepted, windowMs: performance.now() - beganMs, longestMs };
}

async function postOne(client: Client, account: number): Promise<void> {
  await client.query('BEGIN');
  const { rows } = await client.query<{ balance_minor: string }>({ ...POST, values: [account] });
  await client.query({ ...RECORD, values: [account, randomUUID(), rows[0]?.balance_minor] });
  await client.query('COMMIT');
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
